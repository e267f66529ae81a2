package table

import (
	"math"
	"time"
)

// This file is how rows stay under the pointer while others come and go.

// clickTarget is the row that moved away from under the pointer last, since one above it
// went and the list is at its upper end, and when.
type clickTarget struct {
	key   string
	moved time.Time
}

// reactionTime is how long after that a click is still meant for it: hands take 0.2 s
// and more to follow what the eyes see.
const reactionTime = 400 * time.Millisecond

// anchor is the row that must not move and its distance from the upper edge:
// the one under the pointer, else the selected one, else the first visible.
// At the upper end of the list nothing is held: new rows appear there.
func (t *Table[R]) anchor() (key string, at float32) {
	offset := t.list.GetScrollOffset()
	if offset <= 0 && t.hovered == "" {
		return "", 0
	}
	for _, key := range []string{t.hovered, t.selected} {
		if i, ok := t.index[key]; ok {
			if at := float32(i)*RowHeight - offset; at >= 0 && at < t.list.Size().Height {
				return key, at
			}
		}
	}
	if i := int(offset / RowHeight); i < len(t.rows) {
		return t.rows[i].Key(), float32(i)*RowHeight - offset
	}
	return "", 0
}

// hold scrolls so that the anchor is where it was after the rows have changed. under
// is where the row under the pointer was.
func (t *Table[R]) hold(anchor string, at, under float32) {
	if i, ok := t.index[anchor]; ok {
		offset := max(float32(i)*RowHeight-at, 0)
		t.makeRoom(offset)
		if offset != t.list.GetScrollOffset() {
			t.list.ScrollToOffset(offset)
		}
	}
	if t.hovered != "" && t.place(t.hovered) != under {
		t.clickTarget = clickTarget{t.hovered, time.Now()}
	}
}

// makeRoom lets the list scroll to offset while the pointer is on a row, which is not
// to move where a short list could not scroll along, and no longer when it has left.
func (t *Table[R]) makeRoom(offset float32) {
	spare := 0
	if t.hovered != "" && offset > 0 {
		shown := math.Ceil(float64((offset + t.list.Size().Height) / RowHeight))
		spare = max(int(shown)-len(t.rows), 0)
	}
	if spare != t.spare {
		t.spare = spare
		t.list.Refresh()
	}
}

// place is how far below the upper edge of the list a row is; -RowHeight where it is
// not shown.
func (t *Table[R]) place(key string) float32 {
	if i, ok := t.index[key]; ok {
		return float32(i)*RowHeight - t.list.GetScrollOffset()
	}
	return -RowHeight
}

// aimed is the row that a click on one is meant for: a row that has just come to
// be under the pointer is not.
func (t *Table[R]) aimed(w *rowWidget[R]) (R, bool) {
	if t.clickTarget.key == "" || t.clickTarget.key == w.key || time.Since(t.clickTarget.moved) > reactionTime {
		return w.row, true
	}
	if i, ok := t.index[t.clickTarget.key]; ok {
		return t.rows[i], true
	}
	var gone R
	return gone, false
}
