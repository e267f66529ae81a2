package traffic

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"  // decodes
	_ "image/jpeg" // decodes
	_ "image/png"  // decodes
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2/lang"
	"golang.org/x/net/html"

	"porthole/monitor/traffic"
	"porthole/ui/words"
)

// Limits of what is shown of one body. Copying and saving have no such limits.
const (
	maxShown  = 256 << 10 // bytes
	maxHex    = 16 << 10  // bytes
	maxPixels = 20_000_000
)

// body is a body made readable.
type body struct {
	text  string      // with "\n" as line ends
	image image.Image // nil if it is not an image
	note  string      // a sentence about what is missing; "" if nothing is
}

// readBody returns the body of m as it is shown: JSON and HTML formatted, images as
// images, and what is not text in hexadecimal.
func readBody(m *traffic.Message) body {
	content, err := m.Shown(0)
	var b body
	switch {
	case m.Dropped:
		b.note = lang.L("The body was removed to make room for newer ones.")
		return b
	case m.BodySize == 0:
		return b
	case err != nil:
		b.note = lang.L("The body is incomplete or damaged, and is shown as far as it can be read.")
	case int64(len(m.Body)) < m.BodySize && !m.Decoded:
		b.note = lang.L("Only {{.Kept}} of {{.Whole}} were kept.", map[string]any{"Kept": words.Size(uint64(len(m.Body))), "Whole": words.Size(uint64(m.BodySize))})
	}
	kind := m.MediaType()
	if b.image = picture(kind, content); b.image != nil {
		return b
	}
	if !traffic.Readable(content) {
		b.text = hex.Dump(content[:min(len(content), maxHex)])
		if len(content) > maxHex {
			b.note = firstPart(maxHex)
		}
		return b
	}
	text := format(kind, content)
	if len(text) > maxShown {
		text = text[:maxShown]
		for !utf8.ValidString(text[len(text)-min(len(text), utf8.UTFMax):]) && len(text) > maxShown-utf8.UTFMax {
			text = text[:len(text)-1]
		}
		b.note = firstPart(maxShown)
	}
	b.text = printable(text)
	return b
}

// firstPart says that a long body is cut.
func firstPart(bytes int) string {
	return lang.L("Only the first {{.Size}} are shown. Copy or save the body to see the rest.", map[string]any{"Size": words.Size(uint64(bytes))})
}

// picture decodes an image, unless it has too many pixels.
func picture(kind string, content []byte) image.Image {
	if !strings.HasPrefix(kind, "image/") {
		return nil
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil
	}
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	return picture
}

// format formats JSON and HTML; other text stays as it is.
func format(kind string, content []byte) string {
	trimmed := bytes.TrimSpace(content)
	switch {
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(trimmed):
		var out bytes.Buffer
		if json.Indent(&out, trimmed, "", "  ") == nil {
			return out.String()
		}
	case kind == "text/html":
		return formatHTML(content)
	}
	return string(content)
}

// maxIndent bounds the indentation of nested elements.
const maxIndent = 40

// Elements whose text keeps its white space, and those that have no end tag (WHATWG
// HTML, section 13.1.2).
var (
	rawElements  = map[string]bool{"pre": true, "script": true, "style": true, "textarea": true}
	voidElements = map[string]bool{"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true, "meta": true, "source": true, "track": true, "wbr": true}
)

// formatHTML puts each tag and text on a line of its own, indented by its depth.
func formatHTML(content []byte) string {
	var out strings.Builder
	depth, raw := 0, ""
	line := func(text string, depth int) {
		out.WriteString(strings.Repeat("  ", min(max(depth, 0), maxIndent)) + text + "\n")
	}
	for z := html.NewTokenizer(bytes.NewReader(content)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		text := string(z.Raw())
		if kind == html.TextToken {
			if raw == "" {
				text = strings.Join(strings.Fields(text), " ")
			}
			for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
				if strings.TrimSpace(part) != "" {
					line(part, depth)
				}
			}
			continue
		}
		name, _ := z.TagName()
		switch {
		case kind == html.EndTagToken:
			depth = max(depth-1, 0)
			raw = ""
			line(text, depth)
		case kind == html.StartTagToken && !voidElements[string(name)]:
			line(text, depth)
			depth++
			if rawElements[string(name)] {
				raw = string(name)
			}
		default:
			line(text, depth)
		}
	}
}

// printable replaces characters that would change how the text around them looks.
func printable(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\r':
			return '\n'
		case !unicode.IsGraphic(r):
			return '\ufffd'
		}
		return r
	}, text)
}

// startLine returns the first line of a message as text.
func startLine(e *traffic.Exchange, m *traffic.Message) string {
	switch {
	case m.Head != nil:
		return m.StartLine()
	case m == &e.Request && e.Kind == traffic.Request:
		return strings.TrimSpace(e.Method + " " + e.Path)
	case m == &e.Answer && e.Code != 0:
		return strings.TrimSpace(fmt.Sprint(e.Code, " ", e.Status))
	case m == &e.Answer:
		return e.Status
	}
	return ""
}

// took formats a duration with the precision that matters: "0.42 ms", "12 ms", "3.2 s".
func took(d time.Duration) string {
	micro := d.Microseconds()
	switch {
	case micro < 10_000:
		return lang.L("{{.N}} ms", map[string]any{"N": words.Decimal(float64(micro)/1000, 2)})
	case micro < 1_000_000:
		return lang.L("{{.N}} ms", map[string]any{"N": fmt.Sprint(micro / 1000)})
	}
	return lang.L("{{.N}} s", map[string]any{"N": words.Decimal(float64(micro)/1_000_000, 1)})
}
