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

// going reports whether what is typed now goes on with what was typed before.
func (a ahead) going(now time.Time) bool { return a.typed != "" && now.Sub(a.at) <= aheadTime }

// typed takes a sign that was typed on the list: it selects the row whose Ahead is
// what has been typed of late, or begins with it. What leads nowhere is handed on,
// whole. A space alone is a key.
func (t *Table[R]) typed(r rune, now time.Time) {
	words := string(r)
	if t.ahead.going(now) {
		words = t.ahead.typed + words
	}
	if words == " " {
		return
	}
	if i := t.begins(words); i >= 0 {
		t.Select(t.rows[i].Key())
		t.ahead = ahead{words, now}
		return
	}
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
