package table

import (
	"strings"
	"time"
)

// typeAheadTime is how long what is typed goes on with what was typed before.
const typeAheadTime = time.Second

// typeAhead is what was typed of late, of which each sign led to a row.
type typeAhead struct {
	typed string
	at    time.Time
}

// going reports whether what is typed now goes on with what was typed before.
func (a typeAhead) going(now time.Time) bool { return a.typed != "" && now.Sub(a.at) <= typeAheadTime }

// typed takes a sign that was typed on the list: it selects the row whose Ahead is
// what has been typed of late, or begins with it. What leads nowhere is handed on,
// whole. A space alone is a key.
func (t *Table[R]) typed(r rune, now time.Time) {
	words := string(r)
	if t.typing.going(now) {
		words = t.typing.typed + words
	}
	if words == " " {
		return
	}
	if i := t.begins(words); i >= 0 {
		t.Select(t.rows[i].Key())
		t.typing = typeAhead{words, now}
		return
	}
	t.typing = typeAhead{}
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
	if t.TypeAhead == nil {
		return first
	}
	for i, r := range t.rows {
		words := t.TypeAhead(r)
		if words == typed {
			return i
		}
		if first < 0 && strings.HasPrefix(words, typed) {
			first = i
		}
	}
	return first
}
