package table

import (
	"strings"
	"time"
)

// aheadTime is how long what is typed goes on with what was typed before.
const aheadTime = time.Second

// ahead is what was typed of late, of which each sign led to a row.
type ahead struct {
	typed string
	at    time.Time
}

// typed takes a sign that was typed on the list: it selects the row whose Ahead is
// what has been typed of late, or begins with it. What leads nowhere is handed on,
// whole.
func (t *Table[R]) typed(r rune) {
	now := time.Now()
	if now.Sub(t.ahead.at) > aheadTime {
		t.ahead.typed = ""
	}
	t.ahead.typed += string(r)
	t.ahead.at = now
	if i := t.begins(t.ahead.typed); i >= 0 {
		t.Select(t.rows[i].Key())
		return
	}
	words := t.ahead.typed
	t.ahead = ahead{}
	if t.OnRune != nil {
		for _, r := range words {
			t.OnRune(r)
		}
	}
}

// begins is the first row whose Ahead is typed, else the first whose Ahead begins
// with it, else -1.
func (t *Table[R]) begins(typed string) int {
	first := -1
	if t.Ahead == nil {
		return first
	}
	for i, r := range t.rows {
		words := t.Ahead(r)
		if words == typed {
			return i
		}
		if first < 0 && strings.HasPrefix(words, typed) {
			first = i
		}
	}
	return first
}
