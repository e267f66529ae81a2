package table

import (
	"math"
	"time"
)

// This file keeps rows under the pointer while others appear and disappear.

// clickTarget is the row that last moved away from under the pointer, because a row
// above it disappeared while the list was at its upper end, and when that was.
type clickTarget struct {
	key   string
	moved time.Time
}

// reactionTime is how long a click is still meant for that row: people need 0.2 s and
// more to react to what they see.
const reactionTime = 400 * time.Millisecond

// anchor returns the row that must not move and its distance from the upper edge: the
// row under the pointer, or without one the selected row if it is visible, or the
// first visible row. At the upper end of the list there is no anchor, so that new
// rows appear there.
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

// restoreAnchor scrolls so that the anchor stays in place after the rows changed. under is the
// previous place of the row under the pointer.
func (t *Table[R]) restoreAnchor(anchor string, at, under float32) {
	if i, ok := t.index[anchor]; ok {
		offset := max(float32(i)*RowHeight-at, 0)
		t.makeRoom(offset)
		if offset != t.list.GetScrollOffset() {
			t.list.ScrollToOffset(offset)
		}
	}
	if t.hovered != "" && t.rowOffset(t.hovered) != under {
		t.clickTarget = clickTarget{t.hovered, time.Now()}
	}
}

// makeRoom adds empty rows, so that even a short list can scroll to offset while the
// pointer is on a row. It removes them when the pointer has left.
func (t *Table[R]) makeRoom(offset float32) {
	spare := 0
	if t.hovered != "" && offset > 0 {
		shown := math.Ceil(float64((offset + t.list.Size().Height) / RowHeight))
		spare = max(int(shown)-len(t.rows), 0)
	}
	if spare != t.spareRows {
		t.spareRows = spare
		t.list.Refresh()
	}
}

// rowOffset returns a row's distance from the upper edge of the list; -RowHeight if it is
// not shown.
func (t *Table[R]) rowOffset(key string) float32 {
	if i, ok := t.index[key]; ok {
		return float32(i)*RowHeight - t.list.GetScrollOffset()
	}
	return -RowHeight
}

// clickedRow returns the row that a click is meant for: not a row that has only just moved
// under the pointer.
func (t *Table[R]) clickedRow(w *rowWidget[R]) (R, bool) {
	if t.clickTarget.key == "" || t.clickTarget.key == w.key || time.Since(t.clickTarget.moved) > reactionTime {
		return w.row, true
	}
	if i, ok := t.index[t.clickTarget.key]; ok {
		return t.rows[i], true
	}
	var gone R
	return gone, false
}
