package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// writeLine writes v as one line of JSON in one write, so that a reader sees it
// whole and at once.
func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	if _, err := w.Write(append(escaped(b), '\n')); err != nil {
		return fmt.Errorf("write a line: %w", err)
	}
	return nil
}

// escaped is JSON in which what a terminal obeys rather than shows is written
// \uXXXX (RFC 8259, 7): a process may have it in its name. encoding/json does so
// for what is below a space only, not for the controls above ASCII and for marks
// that turn the direction of text.
func escaped(b []byte) []byte {
	var out []byte // nil while there is none
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch hidden := unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp); {
		case hidden:
			if out == nil {
				out = append(make([]byte, 0, len(b)+16), b[:i]...)
			}
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, "\\u%04x", unit)
			}
		case out != nil:
			out = append(out, b[i:i+size]...)
		}
		i += size
	}
	if out == nil {
		return b
	}
	return out
}
