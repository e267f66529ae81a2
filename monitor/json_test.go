package monitor

import (
	"encoding/json"
	"testing"
)

func TestEscapeJSON(t *testing.T) {
	name := "a\u202eb\u009bc\x1b[31m\U000e0041ü\"\u2028"
	b, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	got := EscapeJSON(b)
	if want := `{"name":"a\u202eb\u009bc\u001b[31m\udb40\udc41ü\"\u2028"}`; string(got) != want {
		t.Errorf("EscapeJSON() = %s, want %s", got, want)
	}
	var back map[string]string
	if err := json.Unmarshal(got, &back); err != nil || back["name"] != name {
		t.Errorf("read back %q, %v, want %q", back["name"], err, name)
	}
}
