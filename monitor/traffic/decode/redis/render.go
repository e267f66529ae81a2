package redis

import (
	"strconv"
	"strings"
)

// render writes values as redis-cli(1) does.
type render struct {
	write func([]byte) // to the body
	stack []level
	first string // the first part of a value that is short: for the status
	kind  byte   // of the value, or of its outermost aggregate
	count int64  // of the outermost aggregate
	size  int64  // of the blob
	blobs blob
	words [3]string // the first values in the outermost aggregate
	seen  int       // values in the outermost aggregate
}

// level is an open aggregate.
type level struct {
	left  int64 // values to come; -1 if the end is marked
	index int64
	width int // of the indentation
	pairs bool
}

// blob is an open string.
type blob struct {
	kind byte
	text []byte // the first part
	keep int
}

// maxWord limits the parts of values that are kept for lists.
const maxWord = 512

// begin writes the number of a value in its aggregate.
func (r *render) begin() {
	if len(r.stack) == 0 {
		return
	}
	top := &r.stack[len(r.stack)-1]
	if top.index > 0 {
		r.write([]byte("\n" + strings.Repeat(" ", r.indent()-top.width)))
	}
	if top.pairs && top.index%2 == 1 {
		r.write([]byte("=> "))
		return
	}
	n := top.index
	if top.pairs {
		n /= 2
	}
	number := strconv.FormatInt(n+1, 10) + ") "
	if pad := top.width - len(number); pad > 0 {
		number = strings.Repeat(" ", pad) + number
	}
	r.write([]byte(number))
}

func (r *render) indent() (n int) {
	for _, l := range r.stack {
		n += l.width
	}
	return n
}

// end counts a complete value, and reports whether the outermost one is complete.
func (r *render) end() (done bool) {
	for len(r.stack) > 0 {
		top := &r.stack[len(r.stack)-1]
		top.index++
		if top.left < 0 {
			return false
		}
		if top.left--; top.left > 0 {
			return false
		}
		r.stack = r.stack[:len(r.stack)-1]
	}
	return true
}

// word remembers the first values for lists.
func (r *render) word(kind byte, text string) {
	switch len(r.stack) {
	case 0:
		r.kind, r.first = kind, text
	case 1:
		if r.seen < len(r.words) {
			r.words[r.seen] = text
		}
		r.seen++
	}
}

// simple writes a value of one line.
func (r *render) simple(kind byte, line []byte) (done bool) {
	text := string(line)
	r.begin()
	r.word(kind, text)
	switch kind {
	case '-':
		text = "(error) " + text
	case ':':
		text = "(integer) " + text
	case ',':
		text = "(double) " + text
	case '(':
		text = "(big number) " + text
	case '_':
		text = "(nil)"
	case '#':
		text = map[string]string{"t": "(true)", "f": "(false)"}[text]
	}
	r.write([]byte(text))
	return r.end()
}

// open begins an aggregate of n values.
func (r *render) open(kind byte, n int64) (done bool, _ error) {
	r.begin()
	if len(r.stack) == 0 {
		r.kind, r.count, r.seen = kind, n, 0
	}
	switch n {
	case -1:
		r.write([]byte("(nil)"))
		return r.end(), nil
	case 0:
		r.write([]byte("(empty " + aggregateName(kind) + ")"))
		return r.end(), nil
	}
	if len(r.stack) >= maxDepth {
		return false, errDepth
	}
	l := level{left: n, pairs: kind == '%' || kind == '|'}
	shown := n
	switch {
	case n == streamed:
		l.left, shown = -1, 1
	case l.pairs:
		l.left *= 2
	}
	l.width = len(strconv.FormatInt(shown, 10)) + 2
	r.stack = append(r.stack, l)
	return false, nil
}

// close ends an aggregate whose end is marked.
func (r *render) close() (done bool, _ error) {
	if len(r.stack) == 0 || r.stack[len(r.stack)-1].left >= 0 {
		return false, errKind
	}
	r.stack = r.stack[:len(r.stack)-1]
	return r.end(), nil
}

func aggregateName(kind byte) string {
	switch kind {
	case '~':
		return "set"
	case '%', '|':
		return "hash"
	case '>':
		return "push"
	}
	return "array"
}

// blobBegin begins a string.
func (r *render) blobBegin(kind byte, n int64) {
	r.begin()
	if len(r.stack) == 0 {
		r.kind, r.size = kind, 0
	}
	r.blobs = blob{kind: kind, text: r.blobs.text[:0], keep: maxWord}
	switch {
	case n == -1:
		r.write([]byte("(nil)"))
		r.blobs.kind = '_'
	case kind == '!':
		r.write([]byte("(error) "))
	case kind == '$':
		r.write([]byte(`"`))
	}
}

func (r *render) blobData(p []byte) {
	b := &r.blobs
	if len(r.stack) == 0 {
		r.size += int64(len(p))
	}
	if room := b.keep - len(b.text); room > 0 {
		b.text = append(b.text, p[:min(room, len(p))]...)
	}
	if b.kind == '$' {
		r.write(quote(p))
		return
	}
	r.write(p)
}

func (r *render) blobEnd() (done bool) {
	b := &r.blobs
	if b.kind == '$' {
		r.write([]byte(`"`))
	}
	text := string(b.text)
	if b.kind == '=' && len(text) > 4 { // verbatim: "txt:…"
		text = text[4:]
	}
	r.word(b.kind, text)
	return r.end()
}

// quote escapes the bytes of a string as redis-cli does.
func quote(p []byte) []byte {
	out := make([]byte, 0, len(p))
	for _, c := range p {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c < ' ' || c == 0x7f:
			out = append(out, `\x`...)
			out = append(out, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default: // UTF-8 stays readable
			out = append(out, c)
		}
	}
	return out
}

// status returns the value in a few words.
func (r *render) status() string {
	switch r.kind {
	case '+', '-', ':', ',', '(':
		return r.first
	case '!':
		return r.first
	case '_':
		return "nil"
	case '#':
		return map[string]string{"t": "true", "f": "false"}[r.first]
	case '$', '=':
		return strconv.FormatInt(r.size, 10) + " bytes"
	case '*', '~', '>', '%', '|':
		n := r.count
		switch {
		case n == -1:
			return "nil"
		case n == streamed:
			n = int64(r.seen)
		}
		if n == 1 {
			return "1 element"
		}
		return strconv.FormatInt(n, 10) + " elements"
	}
	return ""
}
