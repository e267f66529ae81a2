package traffic

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// prefixed returns a message of gRPC.
func prefixed(flags byte, payload string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(payload)))) + payload
}

func zipped(t *testing.T, s string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(s))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestShown(t *testing.T) {
	const ann = "\n\x03ann" // field 1
	for _, c := range []struct{ kind, coding, body, want string }{
		{"application/grpc", "", prefixed(0, ann), "1: \"ann\"\n"},
		{"application/grpc+proto", "", prefixed(0, ann) + prefixed(0, "\x10\x07"), "1: \"ann\"\n# message 2\n2: 7\n"},
		{"application/grpc", "gzip", prefixed(1, zipped(t, ann)), "1: \"ann\"\n"},
		{"application/grpc", "", prefixed(0, ann)[:8], "\n# incomplete\n"},
		{"application/grpc", "", prefixed(0, ""), ""},
		{"application/grpc", "", "\x7fnot gRPC", "\x7fnot gRPC"},
		{"application/grpc-web+proto", "", prefixed(0, ann) + prefixed(0x80, "grpc-status: 0\r\n"), "1: \"ann\"\n# message 2\ngrpc-status: 0\r\n"},
		{"application/grpc+json", "", prefixed(0, `{"a":1}`), `{"a":1}`},
		{"application/x-protobuf; charset=x", "", ann, "1: \"ann\"\n"},
		{"application/protobuf", "", "1: \"ann\"\n", "1: \"ann\"\n"},
		{"text/plain", "", ann, ann},
	} {
		m := Message{Fields: []Field{{"content-type", c.kind}, {"grpc-encoding", c.coding}}, Body: []byte(c.body), BodySize: int64(len(c.body))}
		got, err := m.Shown(0)
		if err != nil || !strings.HasSuffix(string(got), c.want) {
			t.Errorf("%s %q: got %q, %v; want %q", c.kind, c.body, got, err, c.want)
		}
	}
}

// Messages of gRPC are masked like text, and the result is text.
func TestProtobufIsMasked(t *testing.T) {
	const login = "\n\x0fpassword=geheim" + "\x12\x18\n\rauthorization\x12\x07geheim2"
	for _, kind := range []string{"application/grpc", "application/protobuf", "application/grpc+json"} {
		body := login
		switch kind {
		case "application/grpc":
			body = prefixed(0, login)
		case "application/grpc+json":
			body = prefixed(0, `{"password":"geheim"}`)
		}
		e := &Exchange{Protocol: "gRPC", Kind: Request, Method: "POST", Path: "/users.Users/Get", Request: Message{Fields: []Field{{"content-type", kind}}, Body: []byte(body), BodySize: int64(len(body))}}
		masked := Masked(e)
		if text, _ := masked.Request.Shown(0); strings.Contains(string(text), "geheim") || !strings.Contains(string(text), "•••") || !Readable(text) {
			t.Errorf("%s: got %q, want text with the secrets replaced", kind, text)
		}
		if command, ok := masked.Curl(); ok {
			t.Errorf("%s: a description is sent: %s", kind, command)
		}
		if string(e.Request.Body) != body {
			t.Errorf("%s: the exchange was changed", kind)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("application/grpc", prefixed(0, "\n\x03ann")+prefixed(1, "x"))
	f.Add("application/grpc-web", prefixed(0x80, "a: b\r\n"))
	f.Add("application/protobuf", "\n\x03ann\xff")
	f.Fuzz(func(t *testing.T, kind, body string) {
		m := Message{Fields: []Field{{"Content-Type", kind}, {"grpc-encoding", "gzip"}}, Body: []byte(body), BodySize: int64(len(body))}
		if got, _ := m.Shown(0); len(got) > 4*MaxContent {
			t.Errorf("got %d bytes", len(got))
		}
		maskMessage(&m)
	})
}
