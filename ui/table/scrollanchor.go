package table

import (
	"math"
	"time"

	"fyne.io/fyne/v2/driver/desktop"
)

// This file keeps rows under the pointer while others appear and disappear.

// clickTarget is the row that last moved away from under the pointer, because a row
// above it disappeared while the list was at its upper end or a bar above the table came
// or went, and when that was.
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
		if i, ok := t.lineOf(key); ok {
			if at := float32(i)*RowHeight - offset; at >= 0 && at < t.list.Size().Height {
				return key, at
			}
		}
	}
	if i := int(offset / RowHeight); i < t.length() {
		return t.keyOf(i), float32(i)*RowHeight - offset
	}
	return "", 0
}

// restoreAnchor scrolls so that the anchor stays in place after the rows changed. under is the
// previous place of the row under the pointer.
func (t *Table[R]) restoreAnchor(anchor string, at, under float32) {
	if i, ok := t.lineOf(anchor); ok {
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

// rearranged handles rows that the user rearranged, with a filter, by sorting or by folding.
// Unlike rows of SetRows they may move under the pointer, so the list does not scroll past
// its end to keep one in place.
func (t *Table[R]) rearranged() {
	t.makeRoom(0)
	t.clickTarget = clickTarget{}
	t.hovered = t.keyAt(t.pointer)
	if last := max(float32(t.length())*RowHeight-t.list.Size().Height, 0); t.list.GetScrollOffset() > last {
		t.list.ScrollToOffset(last)
	}
	t.RefreshRows()
}

// keyAt returns the key of the row at a distance from the upper edge of the list; "" if
// there is none.
func (t *Table[R]) keyAt(y float32) string {
	if y < 0 || y >= t.list.Size().Height {
		return ""
	}
	if i := int((y + t.list.GetScrollOffset()) / RowHeight); i < t.length() {
		return t.keyOf(i)
	}
	return ""
}

// setPointer records where the pointer is in a row, e; nil if only the row is known.
func (t *Table[R]) setPointer(key string, e *desktop.MouseEvent) {
	t.hovered, t.pointer = key, t.rowOffset(key)+RowHeight/2
	if e != nil {
		t.pointer += e.Position.Y - RowHeight/2
	}
}

// makeRoom adds empty rows, so that even a short list can scroll to offset while the
// pointer is on a row. It removes them when the pointer has left.
func (t *Table[R]) makeRoom(offset float32) {
	spare := 0
	if t.hovered != "" && offset > 0 {
		shown := math.Ceil(float64((offset + t.list.Size().Height) / RowHeight))
		spare = max(int(shown)-t.length(), 0)
	}
	if spare != t.spareRows {
		t.spareRows = spare
		t.list.Refresh()
	}
}

// rowOffset returns a row's distance from the upper edge of the list; -RowHeight if it is
// not shown.
func (t *Table[R]) rowOffset(key string) float32 {
	if i, ok := t.lineOf(key); ok {
		return float32(i)*RowHeight - t.list.GetScrollOffset()
	}
	return -RowHeight
}

// clickedLine returns the key of the line that a click on w is meant for: not of a line that
// has only just moved under the pointer. It returns false if that line is gone.
func (t *Table[R]) clickedLine(w *rowWidget[R]) (key string, ok bool) {
	if t.clickTarget.key == "" || t.clickTarget.key == w.key || time.Since(t.clickTarget.moved) > reactionTime {
		return w.key, true
	}
	_, ok = t.lineOf(t.clickTarget.key)
	return t.clickTarget.key, ok
}
