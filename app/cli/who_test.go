package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
)

// asked runs who and returns what it prints.
func asked(t *testing.T, port string, asJSON bool) (string, error) {
	t.Helper()
	var out, said bytes.Buffer
	err := Who(t.Context(), port, Options{JSON: asJSON, Stdout: &out, Stderr: &said})
	return out.String(), err
}

func TestWhoTellsTheStoryOfAPort(t *testing.T) {
	setSettings(t, "")
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name":"acme-web"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	pid, port, ok := server(t, "127.0.0.1:0", func(c *exec.Cmd) {
		c.Dir = folder
		c.Args = []string{"node", "/srv/bin/vite", "--password=hunter2"}
	})
	if !ok {
		t.Fatal("no IPv4 loopback")
	}
	text, err := asked(t, strconv.Itoa(port), false)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(text, "\n")
	for _, want := range []string{fmt.Sprintf("%d is held by ", port), fmt.Sprintf("(%d)", pid), "Vite of acme-web"} {
		if !strings.Contains(first, want) {
			t.Errorf("the first line is %q; want %q in it", first, want)
		}
	}
	for _, want := range []string{"127.0.0.1 (this machine)", "why ", "chain ", folder, "Vite (by its command)", "uses ", " of memory"} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Error("it prints a password")
	}
	client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	text, err = asked(t, strconv.Itoa(port), true)
	var answer struct {
		Port      int
		Listeners []struct {
			Owners []struct {
				PID     int
				Project string
			}
			Why struct {
				Sentence string
				Chain    []struct{ PID int }
			}
			Uses  struct{ Memory, Threads int }
			Peers []struct {
				Remote   string
				PID      int
				Received *int
			}
		}
	}
	if err != nil || json.Unmarshal([]byte(text), &answer) != nil || answer.Port != port || len(answer.Listeners) != 1 {
		t.Fatalf("as JSON: %s, %v", text, err)
	}
	l := answer.Listeners[0]
	if chain := l.Why.Chain; l.Owners[0].PID != pid || len(chain) < 2 || chain[len(chain)-1].PID != pid || chain[len(chain)-2].PID != os.Getpid() {
		t.Errorf("as JSON: owners %+v, chain %+v; want %d below %d", l.Owners, chain, pid, os.Getpid())
	}
	if l.Why.Sentence == "" || l.Uses.Memory < 1<<20 || l.Uses.Threads < 1 || l.Owners[0].Project != "acme-web" {
		t.Errorf("as JSON: %+v; want why, what it uses and its project", l)
	}
	if len(l.Peers) != 1 || l.Peers[0].PID != os.Getpid() || l.Peers[0].Remote != client.LocalAddr().String() || l.Peers[0].Received == nil {
		t.Errorf("as JSON: peers %+v; want this test", l.Peers)
	}
}

func TestWhoOfAFreePortAndOfBadInput(t *testing.T) {
	setSettings(t, "")
	text, err := asked(t, "1", false)
	if !errors.Is(err, ErrFree) || !strings.HasPrefix(text, "1 is free.") {
		t.Errorf("of a free port: %q, %v", text, err)
	}
	if text, err = asked(t, "1", true); !errors.Is(err, ErrFree) || text != "{\"port\":1,\"listeners\":[]}\n" {
		t.Errorf("as JSON: %q, %v", text, err)
	}
	for _, bad := range []string{"0", "70000", "http", "3000-3999", ""} {
		if _, err := asked(t, bad, false); !isUsage(err) {
			t.Errorf("%q: %v; want a usage error", bad, err)
		}
	}
}

// What docker-proxy holds is told as its container.
func TestWhoNamesTheContainer(t *testing.T) {
	l := &monitor.Listener{Protocol: monitor.TCP, Port: 8080, Owners: []monitor.Owner{{PID: 7, Name: "docker-proxy"}}}
	for _, test := range []struct {
		c           monitor.Container
		first, line string
	}{
		{monitor.Container{ID: "0123456789abcdef", Name: "web", Image: "acme/web:1", Address: "172.17.0.2:80", Published: true},
			"8080 is held by docker-proxy (7) for the container web (image acme/web:1).", "web (image acme/web:1), 0123456789ab, at 172.17.0.2:80"},
		{monitor.Container{Address: "172.17.0.2:80", Published: true}, "8080 is held by docker-proxy (7) for the container at 172.17.0.2:80.", "at 172.17.0.2:80"},
	} {
		l.Container, l.Service = &test.c, test.c.Description()
		if got := summary(l, time.Now()); got != test.first {
			t.Errorf("%q; want %q", got, test.first)
		}
		if got := containerText(l); got != test.line {
			t.Errorf("%q; want %q", got, test.line)
		}
	}
	l.Owners, l.OwnerUnknown = nil, monitor.UnknownForeign
	l.Container = &monitor.Container{Name: "web", Published: true}
	if got := summary(l, time.Now()); got != "8080 is held by container web (hidden)." {
		t.Errorf("hidden: %q", got)
	}
}
