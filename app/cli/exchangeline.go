package cli

import (
	"bytes"

	"github.com/mattn/go-runewidth"

	"porthole/monitor/traffic"
)

// Widths of columns in cells.
const (
	clientWidth   = 18
	statusWidth   = 10
	durationWidth = 8
	sizeWidth     = 8
)

// appendLine appends one line about e that fits the terminal:
//
//	14:02:03.123  curl (812)          200      1.2 ms     12 KB  GET /api/users
func (p *printer) appendLine(b []byte, e *traffic.Exchange) []byte {
	status, color := statusText(e)
	duration := "open"
	switch {
	case e.Kind == traffic.Event:
		duration = ""
	case !e.Ended.IsZero():
		duration = elapsedText(e.Duration(e.Ended))
	}
	from := len(b)
	b = e.Started.Local().AppendFormat(b, clockFormat)
	b = append(appendColumn(append(b, "  "...), exchangeClient(e), clientWidth), "  "...)
	width := 0
	if p.width > 0 {
		width = runewidth.StringWidth(string(b[from:]))
	}
	if p.styled && color != "" {
		b = append(append(append(b, "\x1b["...), color...), 'm')
	}
	b = appendColumn(b, status, statusWidth)
	if p.styled && color != "" {
		b = append(b, "\x1b[0m"...)
	}
	from = len(b)
	b = appendPadded(append(b, "  "...), duration, durationWidth)
	b = appendPadded(append(b, "  "...), sizeText(uint64(e.Request.Size+e.Answer.Size)), sizeWidth)
	b = append(append(b, "  "...), whatText(e)...)
	if p.width > 0 {
		rest := runewidth.Truncate(string(b[from:]), max(p.width-width-statusWidth, minColumn), "…")
		b = append(b[:from], rest...)
	}
	return append(b[:from], bytes.TrimRight(b[from:], " ")...)
}

// spaces is the padding of columns.
const spaces = "                        "

// appendColumn appends s truncated or padded to a width in cells, of at most len(spaces).
func appendColumn(b []byte, s string, width int) []byte {
	if ascii(s) && len(s) <= width { // measuring characters takes longer than all else
		return append(append(b, s...), spaces[:width-len(s)]...)
	}
	return append(b, runewidth.FillRight(runewidth.Truncate(s, width, "…"), width)...)
}

// appendPadded appends s padded on the left to a width in cells, of at most len(spaces).
func appendPadded(b []byte, s string, width int) []byte {
	if ascii(s) {
		return append(append(b, spaces[:max(width-len(s), 0)]...), s...)
	}
	return append(b, runewidth.FillLeft(s, width)...)
}

// ascii reports whether all of s are printable characters of ASCII.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
