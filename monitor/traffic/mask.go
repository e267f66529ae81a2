package traffic

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"porthole/monitor"
)

// masked replaces the value of a field that is a secret as a whole.
const masked = "•••"

// secretFields are header fields whose whole value is a secret, in lower case.
var secretFields = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token", "x-xsrf-token", "x-amz-security-token", "sec-websocket-key"}

// Masked returns a copy of e in which secrets are replaced: Authorization, cookies,
// passwords and tokens in the path, the header fields and the bodies. Masking is best
// effort: secrets in other forms stay readable; see [MaskBody]. e is not changed.
func Masked(e *Exchange) *Exchange {
	out := *e
	for _, secret := range e.Secrets {
		maskSecret(&out, secret)
	}
	out.Secrets = nil
	out.Path, out.Status = MaskPath(out.Path), monitor.MaskText(out.Status)
	maskMessage(&out.Request)
	maskMessage(&out.Answer)
	return &out
}

// MaskedSummary is Masked for a copy of e without headers and bodies, whose sizes are kept.
// It takes a tenth of the time.
func MaskedSummary(e *Exchange) *Exchange {
	var out Exchange
	MaskSummary(&out, e)
	return &out
}

// MaskSummary is MaskedSummary for a caller that uses out again.
func MaskSummary(out, e *Exchange) {
	*out = *e
	for _, m := range [...]*Message{&out.Request, &out.Answer} {
		m.Head, m.Fields, m.Trailer, m.Body = nil, nil, nil, nil
	}
	for _, secret := range e.Secrets {
		maskSecret(out, secret)
	}
	out.Secrets = nil
	out.Path, out.Status = MaskPath(out.Path), monitor.MaskText(out.Status)
}

// maskSecret replaces a secret wherever e has it.
func maskSecret(e *Exchange, secret string) {
	if secret == "" {
		return
	}
	e.Path, e.Status = strings.ReplaceAll(e.Path, secret, masked), strings.ReplaceAll(e.Status, secret, masked)
	for _, m := range []*Message{&e.Request, &e.Answer} {
		m.Body = bytes.ReplaceAll(m.Body, []byte(secret), []byte(masked))
		m.Fields = slices.Clone(m.Fields)
		for i := range m.Fields {
			m.Fields[i].Value = strings.ReplaceAll(m.Fields[i].Value, secret, masked)
		}
	}
}

// MaskPath returns the path or command of an exchange with secrets replaced.
func MaskPath(path string) string {
	if len(path) > maxMaskedPath {
		return monitor.MaskText(path[:maxMaskedPath]) + "…" // what follows may belong to a secret
	}
	return monitor.MaskText(path)
}

// maxMaskedPath is how many bytes of a path are shown while secrets are masked.
const maxMaskedPath = 8 << 10

// MaskField returns a header field with secrets replaced.
func MaskField(f Field) Field {
	name := strings.ToLower(f.Name)
	if f.Value == "" {
		return f
	}
	if slices.Contains(secretFields, name) {
		return Field{f.Name, maskedCredentials(name, f.Value)}
	}
	// a name that indicates a secret, such as X-Access-Token, masks its value
	const between = ": "
	if line := monitor.MaskText(f.Name + between + f.Value); strings.HasPrefix(line, f.Name+between) {
		return Field{f.Name, line[len(f.Name+between):]}
	}
	return Field{f.Name, masked}
}

// maskedCredentials keeps the scheme of credentials and the names of cookies.
func maskedCredentials(name, value string) string {
	switch name {
	case "authorization", "proxy-authorization":
		if scheme, _, ok := strings.Cut(value, " "); ok && len(scheme) <= len("AWS4-HMAC-SHA256") {
			return scheme + " " + masked
		}
	case "cookie":
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			pairs[i] = maskPair(pair)
		}
		return strings.Join(pairs, ";")
	case "set-cookie":
		pair, attributes, ok := strings.Cut(value, ";")
		if ok {
			return maskPair(pair) + ";" + attributes
		}
		return maskPair(pair)
	}
	return masked
}

func maskPair(pair string) string {
	if name, _, ok := strings.Cut(pair, "="); ok {
		return name + "=" + masked
	}
	return masked
}

func maskMessage(m *Message) {
	header := m.Header()
	if m.Head != nil {
		m.Head = maskHead(m.StartLine(), header)
	} else {
		m.Fields = maskFields(header)
	}
	m.Trailer = maskFields(m.Trailer)
	content, _ := m.Content(0) // what can be read of it
	if text, ok := m.maskedDescription(content); ok {
		m.Body, m.Decoded, m.Described = text, true, true
		return
	}
	if out := MaskBody(content); !bytes.Equal(out, content) {
		m.Body, m.Decoded = out, true
	}
}

func maskFields(fields []Field) []Field {
	out := make([]Field, len(fields))
	for i, f := range fields {
		out[i] = MaskField(f)
	}
	return out
}

// maskHead returns the head of a message with secrets replaced.
func maskHead(start string, header []Field) []byte {
	var out bytes.Buffer
	out.WriteString(monitor.MaskText(start) + "\r\n")
	for _, f := range header {
		f = MaskField(f)
		out.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	out.WriteString("\r\n")
	return out.Bytes()
}

// MaskBody returns a body without content coding with secrets replaced: values of fields
// whose names indicate a secret in JSON and forms, and tokens with a recognizable
// format. JSON stays valid. A body that is not text is returned as it is.
func MaskBody(body []byte) []byte {
	if len(body) == 0 || !Readable(body) {
		return body
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(trimmed) {
		return maskJSON(trimmed)
	}
	var out []byte
	for line := range bytes.Lines(body) {
		out = append(out, monitor.MaskText(string(line))...)
	}
	return out
}

// maskJSON masks valid JSON. Everything but the secrets stays as it is written.
func maskJSON(p []byte) []byte {
	m := jsonMasker{source: p, decoder: json.NewDecoder(bytes.NewReader(p))}
	m.decoder.UseNumber()
	m.value(false)
	return append(m.out, p[m.copied:]...)
}

// jsonMasker copies JSON and replaces secrets.
type jsonMasker struct {
	source  []byte
	decoder *json.Decoder
	out     []byte
	copied  int // bytes of source that are in out, or were replaced
}

// value reads a value. If it is secret, all strings and numbers in it are replaced.
func (m *jsonMasker) value(secret bool) {
	token, err := m.decoder.Token()
	if err != nil {
		return
	}
	switch t := token.(type) {
	case json.Delim:
		for m.decoder.More() {
			if t == '[' {
				m.value(secret)
				continue
			}
			name, _ := m.decoder.Token() // an error ends the loop
			key, _ := name.(string)
			m.value(secret || secretName(key))
		}
		_, _ = m.decoder.Token() // the closing bracket
	case string:
		if secret && t != "" {
			m.replace(masked)
		} else if text := monitor.MaskText(t); text != t {
			m.replace(text)
		}
	case json.Number:
		if secret {
			m.replace(masked)
		}
	}
}

// replace writes text in place of the string or number that was read last.
func (m *jsonMasker) replace(text string) {
	end := int(m.decoder.InputOffset())
	begin := end - 1
	if m.source[begin] == '"' {
		for begin--; begin > m.copied && (m.source[begin] != '"' || escaped(m.source[:begin])); begin-- {
		}
	} else {
		for begin > m.copied && bytes.IndexByte([]byte("+-.eE0123456789"), m.source[begin-1]) >= 0 {
			begin--
		}
	}
	quoted, _ := json.Marshal(text) // a string cannot fail
	m.out = append(append(m.out, m.source[m.copied:begin]...), quoted...)
	m.copied = end
}

// escaped reports whether an odd number of backslashes ends p.
func escaped(p []byte) bool {
	return (len(p)-len(bytes.TrimRight(p, "\\")))%2 == 1
}

// secretName reports whether the name of a field indicates a secret.
func secretName(name string) bool {
	return name != "" && monitor.MaskText(name+"=x") != name+"=x"
}
