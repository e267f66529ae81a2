package cli

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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

// who asks what answers, and only makes a test connection if nothing listens.
func TestWhoConnect(t *testing.T) {
	setSettings(t, "")
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "tiny")
		_, _ = io.WriteString(w, "<html><title>My shop</title></html>")
	})
	server := httptest.NewServer(page)
	address := server.Listener.Addr().String()
	who := func(o Options) (string, error) {
		var out, stderr bytes.Buffer
		o.Connect, o.Stdout, o.Stderr = true, &out, &stderr
		err := runWhoAll(t.Context(), []string{address}, o)
		return out.String(), err
	}
	want := address + " speaks HTTP.\n  status        HTTP/1.1 200 OK\n  page title    My shop\n  server        tiny\n  content type  text/html; charset=utf-8\n"
	if text, err := who(Options{}); err != nil || !strings.HasSuffix(text, want) {
		t.Errorf("got %q, %v; want %q at its end", text, err, want)
	}
	text, err := who(Options{JSON: true})
	got := decode(t, []byte(text))
	tried, _ := got["test_connection"].(map[string]any)
	listeners, _ := got["listeners"].([]any)
	if err != nil || tried["answered"] != true || tried["address"] != address || len(listeners) != 1 {
		t.Fatalf("JSON: got %s, %v, want that it was accepted", text, err)
	}
	if r, _ := listeners[0].(map[string]any)["reply"].(map[string]any); r["protocol"] != "HTTP" || r["title"] != "My shop" || r["failure"] != nil {
		t.Errorf("JSON: got the reply %v", r)
	}
	server.Close()
	if text, err := who(Options{}); !errors.Is(err, ErrFree) || !strings.HasSuffix(text, "A test connection to "+address+" was refused.\n") {
		t.Errorf("free: got %q, %v", text, err)
	}
}
