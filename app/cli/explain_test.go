package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"porthole/monitor/socket"
)

// explainOutput returns what runExplain prints.
func explainOutput(t *testing.T, target string, asJSON bool) (string, error) {
	t.Helper()
	var out, stderr bytes.Buffer
	err := runExplain(t.Context(), target, Options{JSON: asJSON, Stdout: &out, Stderr: &stderr})
	return out.String(), err
}

func TestExplain(t *testing.T) {
	setSettings(t, "")
	pid, port, ok := server(t, "127.0.0.1:0", func(c *exec.Cmd) {
		c.Args = []string{"node", "/srv/bin/vite", "--password=hunter2"}
	})
	if !ok {
		t.Skip("no IPv4 loopback")
	}
	for _, target := range []string{fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprint(port), fmt.Sprintf("localhost:%d", port), fmt.Sprintf("http://127.0.0.1:%d/x?y=z", port)} {
		text, err := explainOutput(t, target, false)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		paragraph := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{"127.0.0.1", fmt.Sprintf("%d", port), fmt.Sprint(pid), "Vite", fmt.Sprintf("“porthole tap %d”", port)} {
			if !strings.Contains(paragraph, want) {
				t.Errorf("%s: %q does not contain %q", target, paragraph, want)
			}
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > paragraphWidth {
				t.Errorf("%s: got a line of %d characters, want at most %d: %q", target, n, paragraphWidth, line)
			}
		}
		if ephemeral, _ := socket.EphemeralPorts(); ephemeral != nil && !strings.Contains(paragraph, strings.ReplaceAll(ephemeral.String(), "-", "–")) {
			t.Errorf("%s: %q does not name the ephemeral port range %v", target, paragraph, ephemeral)
		}
	}

	text, err := explainOutput(t, fmt.Sprintf("127.0.0.2:%d", port), true)
	answer := decode(t, []byte(text))
	if others, _ := answer["other_listeners"].([]any); err != nil || len(others) != 1 || len(answer["listeners"].([]any)) != 0 {
		t.Errorf("target with another address: got %s, %v, want the server in other_listeners", text, err)
	}
	text, err = explainOutput(t, fmt.Sprintf("127.0.0.1:%d", port), true)
	wantKeys(t, "an explanation", decode(t, []byte(text)), "address", "address_kind", "port", "port_range", "ephemeral", "listeners", "text")
	var got struct {
		Address, Address_kind, Text string
		Port                        int
		Listeners                   []struct{ Owners []struct{ PID int } }
	}
	if err != nil || json.Unmarshal([]byte(text), &got) != nil || got.Address != "127.0.0.1" || got.Address_kind != "loopback" || got.Port != port ||
		len(got.Listeners) != 1 || got.Listeners[0].Owners[0].PID != pid || !strings.HasPrefix(got.Text, "127.0.0.1 ") {
		t.Errorf("JSON = %s, %v, want the server of process %d", text, err, pid)
	}
	if strings.Contains(text, "hunter2") {
		t.Error("the output contains a password")
	}
}

// 203.0.113.7 is reserved for documentation (RFC 5737): no machine has it.
func TestExplainAddressOfAnotherMachine(t *testing.T) {
	setSettings(t, "")
	_, port := listen(t, "0.0.0.0:0")
	text, err := explainOutput(t, "203.0.113.7:"+port, true)
	answer := decode(t, []byte(text))
	if err != nil || answer["on_other_machine"] != true || len(answer["listeners"].([]any)) != 0 || len(answer["other_listeners"].([]any)) != 1 {
		t.Errorf("got %s, %v, want on_other_machine and the listener in other_listeners", text, err)
	}
}

func TestExplainAddressWithoutPortAndInvalidInput(t *testing.T) {
	setSettings(t, "")
	if text, err := explainOutput(t, "::1", true); err != nil || decode(t, []byte(text))["port"] != nil || !strings.Contains(text, `"listeners":[]`) {
		t.Errorf("::1: got %q, %v, want no port and no listeners", text, err)
	}
	if text, err := explainOutput(t, "localhost:1", true); err != nil || len(decode(t, []byte(text))["listeners"].([]any)) != 0 {
		t.Errorf("a free port: got %q, %v, want no listeners", text, err)
	}
	for _, target := range []string{"", "0", "70000", "example.com:80", "127.0.0.1:http", "3000-3999", "fe80::1:80"} {
		if text, err := explainOutput(t, target, false); Status(err) != 2 || text != "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %q, %v, want a UsageError of one line", target, text, err)
		}
	}
}
