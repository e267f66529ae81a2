package traffic

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// MaxContent bounds the bytes that [Message.Content] returns, so that a small body
// cannot fill the memory.
const MaxContent = 8 << 20

// maxWindow bounds the memory that a zstd body may ask for (RFC 8878, section 3.1.1.1.2,
// recommends 8 MB).
const maxWindow = 8 << 20

// StartLine returns the first line of Head, without its line end.
func (m *Message) StartLine() string {
	line, _, _ := bytes.Cut(m.Head, []byte("\n"))
	return string(bytes.TrimRight(line, "\r"))
}

// Header returns the header fields in the order in which they were sent.
func (m *Message) Header() []Field {
	if m.Head == nil {
		return m.Fields
	}
	_, rest, _ := bytes.Cut(m.Head, []byte("\n"))
	var fields []Field
	for line := range bytes.Lines(rest) {
		line = bytes.TrimRight(line, "\r\n")
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case len(line) == 0:
			return fields
		case (line[0] == ' ' || line[0] == '\t') && len(fields) > 0: // a folded line (RFC 9112, section 5.2)
			fields[len(fields)-1].Value += " " + string(bytes.TrimSpace(line))
		case ok:
			fields = append(fields, Field{string(name), string(bytes.TrimSpace(value))})
		}
	}
	return fields
}

// Get returns the value of the first header field with this name, in any case; "" if
// there is none.
func (m *Message) Get(name string) string {
	for _, f := range m.Header() {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// MediaType returns the type of the body in lower case without parameters, such as
// text/html; "" if the header does not say.
func (m *Message) MediaType() string {
	value := m.Get("Content-Type")
	if t, _, err := mime.ParseMediaType(value); err == nil {
		return t
	}
	t, _, _ := strings.Cut(value, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// Content returns the body without its content coding (RFC 9110, section 8.4): at most
// limit bytes, MaxContent if limit is 0. It returns what it could decode together with
// an error if the rest is missing, damaged or over the limit.
func (m *Message) Content(limit int) ([]byte, error) {
	if limit <= 0 {
		limit = MaxContent
	}
	body, err := m.Body, error(nil)
	if m.Decoded {
		return body[:min(len(body), limit)], nil
	}
	codings := strings.Split(m.Get("Content-Encoding"), ",")
	for i := len(codings) - 1; i >= 0 && err == nil && len(body) > 0; i-- {
		body, err = decompress(strings.ToLower(strings.TrimSpace(codings[i])), body, limit)
	}
	if len(body) > limit {
		body, err = body[:limit], fmt.Errorf("the body is longer than %d bytes", limit)
	}
	return body, err
}

// decompress removes one content coding.
func decompress(coding string, body []byte, limit int) ([]byte, error) {
	var r io.Reader
	var err error
	source := bytes.NewReader(body)
	switch coding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(source)
	case "deflate":
		r, err = zlib.NewReader(source)
	case "br":
		r = brotli.NewReader(source)
	case "zstd":
		var d *zstd.Decoder
		d, err = zstd.NewReader(source, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err == nil {
			defer d.Close()
			r = d
		}
	default:
		return body, fmt.Errorf("the content coding %q is not supported", coding)
	}
	if err != nil {
		return nil, fmt.Errorf("decompress the body (%s): %w", coding, err)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return out, fmt.Errorf("decompress the body (%s): %w", coding, err)
	}
	if len(out) > limit {
		return out[:limit], fmt.Errorf("the body is longer than %d bytes", limit)
	}
	return out, nil
}
