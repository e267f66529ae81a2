package protobuf

import (
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// field appends a field with a length.
func field(b []byte, number protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), v)
}

func varint(b []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), v)
}

// sample has every type of field.
func sample() []byte {
	b := field(nil, 1, "ann")
	b = varint(b, 2, 42)
	b = varint(b, 3, 1<<64-1)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 4, protowire.Fixed32Type), 0x3f800000)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 5, protowire.Fixed64Type), 0x3ff8000000000000)
	b = field(b, 6, string(field(varint(nil, 1, 7), 2, "Köln\nnext")))
	b = field(b, 7, "\x00\xff")
	b = field(b, 8, "")
	b = field(b, 9, "\n\x05hello") // a message, although a line feed is text
	b = protowire.AppendTag(b, 10, protowire.StartGroupType)
	b = varint(b, 1, 5)
	return protowire.AppendTag(b, 10, protowire.EndGroupType)
}

const sampleText = `1: "ann"
2: 42
3: 18446744073709551615 (-1)
4: 0x3f800000 (1)
5: 0x3ff8000000000000 (1.5)
6 {
  1: 7
  2: "Köln\nnext"
}
7: 0x00ff
8: ""
9 {
  1: "hello"
}
10 {
  1: 5
}
`

func TestText(t *testing.T) {
	b := sample()
	if got, n := Text(b, Mask{}); got != sampleText || n != len(b) {
		t.Errorf("got %d of %d bytes:\n%swant:\n%s", n, len(b), got, sampleText)
	}
	if got, n := Text(b[:7], Mask{}); got != "1: \"ann\"\n2: 42\n" || n != 7 {
		t.Errorf("of two fields: got %d bytes, %q", n, got)
	}
	if got, n := Text(b[:6], Mask{}); got != "1: \"ann\"\n" || n != 5 {
		t.Errorf("cut off in the second field: got %d bytes, %q", n, got)
	}
	if got, n := Text([]byte("\x00\x01"), Mask{}); got != "" || n != 0 {
		t.Errorf("no message: got %d bytes, %q", n, got)
	}
}

// The compiler of Protocol Buffers finds the same fields in a message.
func TestTextAsProtocReadsIt(t *testing.T) {
	path, err := exec.LookPath("protoc")
	if err != nil {
		t.Skip("protoc is not installed (package protobuf-compiler)")
	}
	c := exec.Command(path, "--decode_raw")
	c.Stdin = strings.NewReader(string(sample()))
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	// It writes floats, negative numbers, bytes and letters beyond ASCII differently.
	names := func(text string) (lines []string) {
		for line := range strings.Lines(text) {
			name, _, _ := strings.Cut(strings.TrimRight(line, "\n"), ":")
			lines = append(lines, name)
		}
		return lines
	}
	if got, want := strings.Join(names(sampleText), "\n"), strings.Join(names(string(out)), "\n"); got != want {
		t.Errorf("got:\n%s\nprotoc prints:\n%s", got, out)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	entry := field(field(nil, 1, "authorization"), 2, "geheim1")
	b := field(field(nil, 1, "token geheim2"), 3, string(entry))
	got, _ := Text(b, Mask{
		Text: func(s string) string { return strings.ReplaceAll(s, "geheim2", "•••") },
		Pair: func(name, value string) string {
			if name == "authorization" {
				return "•••"
			}
			return value
		},
	})
	if want := "1: \"token •••\"\n3 {\n  1: \"authorization\"\n  2: \"•••\"\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A message within a message, and so on, takes no more time or memory than is bounded.
func TestDeepMessages(t *testing.T) {
	b := varint(nil, 1, 1)
	for range 1000 {
		b = field(nil, 1, string(b))
	}
	if got, _ := Text(b, Mask{}); len(got) > 1<<20 {
		t.Errorf("got %d bytes for a message of %d", len(got), len(b))
	}
}

func FuzzText(f *testing.F) {
	f.Add(sample())
	f.Add(field(nil, 1, strings.Repeat("\n\x02", 100)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, n := Text(b, Mask{Text: func(string) string { return "•" }})
		if n > len(b) || len(got) > maxOut+len(tooLong) {
			t.Errorf("%q: %d of %d bytes read, %d written", b, n, len(b), len(got))
		}
		if strings.Count(got, `"`) != 2*strings.Count(got, `"•"`) {
			t.Errorf("%q: a string is not masked: %s", b, got)
		}
	})
}
