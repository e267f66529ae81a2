package table

import (
	"strings"
	"time"

	"porthole/ui/tooltip"
)

// typeAheadTime is how long typed characters continue the previous ones.
const typeAheadTime = time.Second

// typeAhead is the recently typed text, of which each character matched a row.
type typeAhead struct {
	typed string
	at    time.Time
}

// active reports whether a character typed now continues the text.
func (a typeAhead) active(now time.Time) bool { return a.typed != "" && now.Sub(a.at) <= typeAheadTime }

// typed handles a character typed on the list. It selects the row whose TypeAhead text
// equals the recently typed text or begins with it. Text that matches no row is passed
// on as a whole. A single space is a key.
func (t *Table[R]) typed(r rune, now time.Time) {
	tooltip.Hide()
	words := string(r)
	if t.typing.active(now) {
		words = t.typing.typed + words
	}
	if words == " " {
		return
	}
	if i := t.rowWithPrefix(words); i >= 0 {
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

// rowWithPrefix returns the first row whose TypeAhead text equals typed, otherwise the first
// whose text begins with it; -1 if there is none.
func (t *Table[R]) rowWithPrefix(typed string) int {
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
