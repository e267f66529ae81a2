package monitor

import (
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeJSON returns JSON with control, format and separator characters written as
// \uXXXX (RFC 8259, section 7). A process can have them in its name, and a terminal
// would interpret them. encoding/json escapes only those below U+0020, U+2028 and
// U+2029, not the controls above ASCII and the characters that change the text
// direction.
func EscapeJSON(b []byte) []byte {
	var out []byte // nil until the first such character
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch control := unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp); {
		case control:
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
