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

// whoOutput returns what runWho prints.
func whoOutput(t *testing.T, port string, asJSON bool) (string, error) {
	t.Helper()
	var out, stderr bytes.Buffer
	err := runWho(t.Context(), port, Options{JSON: asJSON, Stdout: &out, Stderr: &stderr})
	return out.String(), err
}

func TestWho(t *testing.T) {
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
		t.Skip("no IPv4 loopback")
	}
	text, err := whoOutput(t, strconv.Itoa(port), false)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(text, "\n")
	for _, want := range []string{fmt.Sprintf("%d is used by ", port), fmt.Sprintf("(%d)", pid), "Vite of acme-web"} {
		if !strings.Contains(first, want) {
			t.Errorf("first line = %q, want %q in it", first, want)
		}
	}
	for _, want := range []string{"127.0.0.1 (loopback)", "\n  why ", "\n  chain ", folder, "Vite (from the command)", "\n  framework    Vite\n", "\n  connections  none\n", "\n  resources ", " of memory"} {
		if !strings.Contains(text, want) {
			t.Errorf("the output does not contain %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Error("the output contains a password")
	}
	if text, err = whoOutput(t, strconv.Itoa(port), true); err != nil || !strings.Contains(text, `"connections":[]`) {
		t.Errorf("JSON without connections = %s, %v, want an empty list", text, err)
	}
	client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	text, err = whoOutput(t, strconv.Itoa(port), true)
	if err != nil {
		t.Fatal(err)
	}
	answer := decode(t, []byte(text))
	wantKeys(t, "the answer", answer, "port", "listeners")
	listener := answer["listeners"].([]any)[0].(map[string]any)
	delete(listener, "warnings")   // depends on the user that runs the test
	delete(listener, "started_by") // it depends on what started the test
	wantKeys(t, "a listener", listener, "id", "protocol", "port", "addresses", "exposure", "user", "owners", "sockets", "service", "service_by", "framework", "project", "watched",
		"why", "resources", "connections", "accept_queue")
	delete(listener["resources"].(map[string]any), "cpu_seconds") // absent while it is 0
	wantKeys(t, "resources", listener["resources"], "threads", "memory_bytes")
	wantKeys(t, "accept_queue", listener["accept_queue"], "waiting", "limit")
	connection := listener["connections"].([]any)[0].(map[string]any)
	wantKeys(t, "a connection", connection, "local", "remote", "client", "received_bytes", "sent_bytes")
	wantKeys(t, "a client", connection["client"], "pid", "name", "user")

	var got struct {
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
			Resources struct {
				Memory  int `json:"memory_bytes"`
				Threads int
			}
			Connections []struct {
				Remote string
				Client struct{ PID int }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Port != port || len(got.Listeners) != 1 {
		t.Fatalf("JSON = %s, %v, want one listener on %d", text, err, port)
	}
	l := got.Listeners[0]
	if chain := l.Why.Chain; l.Owners[0].PID != pid || len(chain) < 2 || chain[len(chain)-1].PID != pid || chain[len(chain)-2].PID != os.Getpid() {
		t.Errorf("owners %+v, chain %+v, want %d below %d", l.Owners, chain, pid, os.Getpid())
	}
	if l.Why.Sentence == "" || l.Resources.Memory < 1<<20 || l.Resources.Threads < 1 || l.Owners[0].Project != "acme-web" {
		t.Errorf("got %+v, want a sentence, resources and the project", l)
	}
	if len(l.Connections) != 1 || l.Connections[0].Client.PID != os.Getpid() || l.Connections[0].Remote != client.LocalAddr().String() {
		t.Errorf("connections = %+v, want one from this process", l.Connections)
	}
}

func TestWhoFreePortAndInvalidInput(t *testing.T) {
	setSettings(t, "")
	text, err := whoOutput(t, "1", false)
	if !errors.Is(err, ErrFree) || !strings.HasPrefix(text, "1 is free.") {
		t.Errorf("free port: got %q, %v, want ErrFree", text, err)
	}
	if text, err = whoOutput(t, "1", true); !errors.Is(err, ErrFree) || text != "{\"port\":1,\"listeners\":[]}\n" {
		t.Errorf("free port as JSON: got %q, %v, want no listeners and ErrFree", text, err)
	}
	for _, port := range []string{"0", "70000", "3000-3999", ""} {
		if _, err := whoOutput(t, port, false); Status(err) != 2 {
			t.Errorf("%q: error = %v, want a UsageError", port, err)
		}
	}
}

func TestSummary(t *testing.T) {
	now := time.Now()
	node := monitor.Owner{PID: 7, Name: "node", StartedAt: now.Add(-12 * time.Minute)}
	container := &monitor.Container{Name: "web", Published: true}
	for want, l := range map[string]*monitor.Listener{
		"3000 is used by node (7), Vite of acme-web, running for 12m0s.": {Port: 3000, Owners: []monitor.Owner{node}, Service: "Vite", ServiceBy: monitor.ByCommand, Project: "acme-web"},
		"3000 is used by node (7), and 1 more, running for 12m0s.":       {Port: 3000, Owners: []monitor.Owner{node, {PID: 8}}, Service: "hbci", ServiceBy: monitor.ByPort},
		"631 is in use, owner unknown (user root).":                      {Port: 631, User: "root"},
		"631 is in use, owner unknown.":                                  {Port: 631},
		"8080 is in use, owner unknown (container web).":                 {Port: 8080, CgroupInfo: monitor.CgroupInfo{Container: container}},
	} {
		if got := summary(l, now); got != want {
			t.Errorf("summary() = %q, want %q", got, want)
		}
	}
}

// docker-proxy listens for the container that publishes the port.
func TestWhoNamesThePublishedContainer(t *testing.T) {
	l := &monitor.Listener{Protocol: monitor.TCP, Port: 8080, Owners: []monitor.Owner{{PID: 7, Name: "docker-proxy"}}}
	for _, test := range []struct {
		c              monitor.Container
		summary, field string
	}{
		{monitor.Container{ID: "0123456789abcdef", Name: "web", Image: "acme/web:1", Address: "172.17.0.2:80", Published: true},
			"8080 is used by docker-proxy (7) for the container web (image acme/web:1).", "web (image acme/web:1), 0123456789ab, at 172.17.0.2:80"},
		{monitor.Container{Address: "172.17.0.2:80", Published: true}, "8080 is used by docker-proxy (7) for the container at 172.17.0.2:80.", "at 172.17.0.2:80"},
		{monitor.Container{Engine: "podman", Published: true}, "8080 is used by docker-proxy (7) for a container.", ""},
	} {
		l.Container, l.Service = &test.c, test.c.Description()
		if got := summary(l, time.Now()); got != test.summary {
			t.Errorf("summary() = %q, want %q", got, test.summary)
		}
		if got := containerText(l); got != test.field {
			t.Errorf("containerText() = %q, want %q", got, test.field)
		}
	}
}

// systemd holds the socket of a socket unit until the first client comes: the unit is the
// answer, whether or not systemd can be seen.
func TestSummaryOfASocketUnit(t *testing.T) {
	for _, owners := range [][]monitor.Owner{nil, {{PID: 1, Name: "systemd", Unit: "gpsd.socket"}}} {
		l := &monitor.Listener{Protocol: monitor.TCP, Port: 2947, Owners: owners, CgroupInfo: monitor.CgroupInfo{Unit: "gpsd.socket", Activates: "gpsd.service"}}
		if got, want := summary(l, time.Now()), "2947 is open for gpsd.socket: systemd starts gpsd.service at the first connection."; got != want {
			t.Errorf("%d owners: got %q, want %q", len(owners), got, want)
		}
	}
}
