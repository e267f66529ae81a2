package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

func explained(t *testing.T, target string, asJSON bool) (string, error) {
	t.Helper()
	var out, said bytes.Buffer
	err := Explain(t.Context(), target, Options{JSON: asJSON, Stdout: &out, Stderr: &said})
	return out.String(), err
}

func TestExplainTellsWhatAnAddressAndItsPortMean(t *testing.T) {
	setSettings(t, "")
	pid, port, ok := server(t, "127.0.0.1:0", func(c *exec.Cmd) {
		c.Args = []string{"node", "/srv/bin/vite", "--password=hunter2"}
	})
	if !ok {
		t.Fatal("no IPv4 loopback")
	}
	for _, target := range []string{fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprint(port), fmt.Sprintf("localhost:%d", port), fmt.Sprintf("http://127.0.0.1:%d/x?y=z", port)} {
		text, err := explained(t, target, false)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		paragraph := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{"127.0.0.1", "What is sent there never leaves it.", fmt.Sprintf("Port %d is ", port),
			fmt.Sprintf("(process %d) listens at 127.0.0.1:%d now: Vite.", pid, port), "Only programs on this machine can reach it."} {
			if !strings.Contains(paragraph, want) {
				t.Errorf("%s: %q lacks %q", target, paragraph, want)
			}
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > paragraphWidth {
				t.Errorf("%s: a line of %d: %q", target, n, line)
			}
		}
		if _, err := os.Stat("/proc/sys/net/ipv4/ip_local_port_range"); err == nil && !strings.Contains(paragraph, "this system gives one of ") {
			t.Errorf("%s: %q says nothing of what the system hands out", target, paragraph)
		}
	}

	text, err := explained(t, fmt.Sprintf("127.0.0.2:%d", port), true)
	answer := decode(t, []byte(text))
	if beside, _ := answer["beside"].([]any); err != nil || len(beside) != 1 || len(answer["listeners"].([]any)) != 0 {
		t.Errorf("the server at another address: %s, %v", text, err)
	}
	text, err = explained(t, fmt.Sprintf("127.0.0.1:%d", port), true)
	var of struct {
		Address, Address_kind, Text string
		Port                        int
		Listeners                   []struct{ Owners []struct{ PID int } }
	}
	if err != nil || json.Unmarshal([]byte(text), &of) != nil || of.Address != "127.0.0.1" || of.Address_kind != "loopback" || of.Port != port ||
		len(of.Listeners) != 1 || of.Listeners[0].Owners[0].PID != pid || !strings.HasPrefix(of.Text, "127.0.0.1 is the loopback") {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	if strings.Contains(text, "hunter2") {
		t.Error("it prints a password")
	}
}

// An address of documentation (RFC 5737), which no machine has.
func TestExplainKnowsAnotherMachinesAddress(t *testing.T) {
	setSettings(t, "")
	ln, port := listen(t, "0.0.0.0:0")
	defer ln.Close()
	text, err := explained(t, "203.0.113.7:"+port, false)
	if text = strings.Join(strings.Fields(text), " "); err != nil || !strings.Contains(text, "This machine does not have that address") ||
		!strings.Contains(text, "at 0.0.0.0:"+port+"; this address does not lead there") || strings.Contains(text, "Nothing listens") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestExplainOfAnAddressAloneAndOfBadInput(t *testing.T) {
	setSettings(t, "")
	if text, err := explained(t, "::1", true); err != nil || decode(t, []byte(text))["port"] != nil || !strings.Contains(text, `"listeners":[]`) {
		t.Errorf("::1: %q, %v", text, err)
	}
	if text, err := explained(t, "localhost:1", false); err != nil || !strings.Contains(strings.Join(strings.Fields(text), " "), "Nothing listens there now.") {
		t.Errorf("a free port: %q, %v", text, err)
	}
	for _, bad := range []string{"", "0", "70000", "example.com:80", "127.0.0.1:http", "3000-3999", "::1:80"} {
		if text, err := explained(t, bad, false); !isUsage(err) || text != "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %q, %v; want a usage error", bad, text, err)
		}
	}
}
