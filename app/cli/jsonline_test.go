package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWriteLineEscapesControlCharacters(t *testing.T) {
	name := "a\u202eb\u009bc\x1b[31m\U000e0041ü\"\u2028"
	var out strings.Builder
	if err := writeLine(&out, map[string]string{"name": name}); err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"a\u202eb\u009bc\u001b[31m\udb40\udc41ü\"\u2028"}` + "\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back["name"] != name {
		t.Errorf("read back %q, %v, want %q", back["name"], err, name)
	}
}
