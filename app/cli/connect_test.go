package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestExplainConnect(t *testing.T) {
	setSettings(t, "")
	ln, port := listen(t, "127.0.0.1:0")
	explained := func(target string) string {
		var out, stderr bytes.Buffer
		if err := runExplain(t.Context(), target, Options{Connect: true, Stdout: &out, Stderr: &stderr}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	if text, want := explained("127.0.0.1:"+port), "A test connection to 127.0.0.1:"+port+" was accepted."; !strings.HasSuffix(text, want) {
		t.Errorf("got %q, want %q at its end", text, want)
	}
	_ = ln.Close()
	if text, want := explained("127.0.0.1:"+port), "A test connection to 127.0.0.1:"+port+" was refused."; !strings.HasSuffix(text, want) {
		t.Errorf("got %q, want %q at its end", text, want)
	}
	var out bytes.Buffer
	if err := runExplain(t.Context(), "127.0.0.1", Options{Connect: true, Stdout: &out, Stderr: &out}); Status(err) != 2 {
		t.Errorf("without a port: got %v, want a UsageError", err)
	}
	// A redirect cannot be made without root: only its sentence is tested.
	if got := (&testConnectionJSON{Address: "localhost:30046", Answered: true}).text(false); !strings.Contains(got, "firewall rule") {
		t.Errorf("got %q", got)
	}
}

// who makes the same test connection, and still reports what it found itself.
func TestWhoConnect(t *testing.T) {
	setSettings(t, "")
	ln, port := listen(t, "127.0.0.1:0")
	who := func(o Options) (string, error) {
		var out, stderr bytes.Buffer
		o.Connect, o.Stdout, o.Stderr = true, &out, &stderr
		err := runWhoAll(t.Context(), []string{"127.0.0.1:" + port}, o)
		return out.String(), err
	}
	at := "A test connection to 127.0.0.1:" + port
	if text, err := who(Options{}); err != nil || !strings.HasSuffix(text, at+" was accepted.\n") {
		t.Errorf("got %q, %v", text, err)
	}
	text, err := who(Options{JSON: true})
	if tried, _ := decode(t, []byte(text))["test_connection"].(map[string]any); err != nil || tried["answered"] != true {
		t.Errorf("JSON: got %s, %v, want that it was accepted", text, err)
	}
	_ = ln.Close()
	if text, err := who(Options{}); !errors.Is(err, ErrFree) || !strings.HasSuffix(text, at+" was refused.\n") {
		t.Errorf("free: got %q, %v", text, err)
	}
}
