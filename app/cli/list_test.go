package cli

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/internal/freeport"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// wantKeys checks the keys of a JSON object.
func wantKeys(t *testing.T, name string, object any, want ...string) {
	t.Helper()
	m, _ := object.(map[string]any)
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, want) {
		t.Errorf("keys of %s = %q, want %q", name, got, want)
	}
}

// Scripts depend on these names.
func TestListJSON(t *testing.T) {
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
	setSettings(t, fmt.Sprintf("watches:\n  - ports: %d\n", port))
	s := listJSON(t, strconv.Itoa(port))
	wantKeys(t, "a snapshot", s, "taken_at", "listeners")
	if at, err := time.Parse(time.RFC3339, s["taken_at"].(string)); err != nil || !strings.HasSuffix(s["taken_at"].(string), "Z") || time.Since(at) > time.Minute {
		t.Errorf("taken_at = %v (%v), want now in UTC", s["taken_at"], err)
	}
	listeners := s["listeners"].([]any)
	if len(listeners) != 1 {
		t.Fatalf("listeners = %v, want one", listeners)
	}
	l := listeners[0].(map[string]any)
	delete(l, "started_by") // it depends on what started the test
	wantKeys(t, "a listener", l, "id", "protocol", "port", "addresses", "exposure", "user", "owners", "sockets", "service", "service_by", "framework", "project", "watched")
	for key, want := range map[string]any{
		"protocol": "tcp", "port": float64(port), "exposure": "loopback", "service": "Vite", "project": "acme-web", "watched": true,
	} {
		if l[key] != want {
			t.Errorf("%s = %v, want %v", key, l[key], want)
		}
	}
	if got := fmt.Sprint(l["addresses"]); got != "[127.0.0.1]" {
		t.Errorf("addresses = %s, want [127.0.0.1]", got)
	}
	owner := l["owners"].([]any)[0].(map[string]any)
	delete(owner, "agent") // it depends on what started the test
	wantKeys(t, "an owner", owner, "pid", "name", "command", "program", "folder", "project", "user", "parent_pid", "started_at")
	if owner["pid"] != float64(pid) || owner["parent_pid"] != float64(os.Getpid()) || owner["folder"] != folder {
		t.Errorf("owner = %v, want PID %d, parent %d, folder %s", owner, pid, os.Getpid(), folder)
	}
	if got := fmt.Sprint(owner["command"]); got != "[node /srv/bin/vite --password=•••]" {
		t.Errorf("command = %s, want the password masked", got)
	}
	socket := l["sockets"].([]any)[0]
	wantKeys(t, "a socket", socket, "address", "owners")
	if got, want := fmt.Sprint(socket), fmt.Sprintf("map[address:127.0.0.1 owners:[%d]]", pid); got != want {
		t.Errorf("socket = %s, want %s", got, want)
	}

	var out bytes.Buffer
	if err := runList(t.Context(), []string{strconv.Itoa(port)}, Options{JSON: true, Unmasked: true, Stdout: &out, Stderr: &out}); err != nil || !strings.Contains(out.String(), `"--password=hunter2"`) {
		t.Errorf("with --unmasked: got %s, %v, want the password", out.String(), err)
	}
}

func TestListenerJSONWithUnknownOwner(t *testing.T) {
	l := &monitor.Listener{
		ID: "tcp-631-1", Protocol: monitor.TCP, Port: 631, Exposure: monitor.ExposureLoopback, User: "root", OwnerUnknown: monitor.UnknownForeign,
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Owners: []monitor.Owner{},
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{ID: 1, Address: netip.MustParseAddr("127.0.0.1")}, Owners: []int{}}},
		Since:   time.Unix(1, 0),
	}
	var out bytes.Buffer
	if err := writeLine(&out, query{}.listenerJSON(l)); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"tcp-631-1","protocol":"tcp","port":631,"addresses":["127.0.0.1"],"exposure":"loopback","user":"root",` +
		`"owners":[],"sockets":[{"address":"127.0.0.1","owners":[]}],` +
		`"owner_unknown":{"reason":"` + monitor.UnknownForeign + `"},"watched":false,"since":"1970-01-01T00:00:01Z"}` + "\n"
	if out.String() != want {
		t.Errorf("JSON:\n got %s\nwant %s", out.String(), want)
	}
}

func TestListenerJSONWithContainer(t *testing.T) {
	for _, test := range []struct {
		l    monitor.Listener
		want string
	}{
		{monitor.Listener{CgroupInfo: monitor.CgroupInfo{ContainerID: "0123"}}, `"container":{"id":"0123","published":false}`},
		{
			monitor.Listener{CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{ID: "0123", Name: "web", Image: "acme/web:1", Address: "172.17.0.2:80", Published: true}}},
			`"container":{"id":"0123","name":"web","image":"acme/web:1","address":"172.17.0.2:80","published":true}`,
		},
	} {
		var out bytes.Buffer
		if err := writeLine(&out, query{}.listenerJSON(&test.l)); err != nil || !strings.Contains(out.String(), test.want) {
			t.Errorf("JSON = %s, %v, want %s in it", out.String(), err, test.want)
		}
	}
}

func TestListenerJSONWithDeletedProgram(t *testing.T) {
	var out bytes.Buffer
	l := &monitor.Listener{Owners: []monitor.Owner{{PID: 7, Program: "/bin/server", Deleted: true}}}
	if err := writeLine(&out, query{}.listenerJSON(l)); err != nil {
		t.Fatal(err)
	}
	if want := `"program":"/bin/server","deleted":true`; !strings.Contains(out.String(), want) {
		t.Errorf("JSON = %s, want %s in it", out.String(), want)
	}
}

func TestListIsSortedByPort(t *testing.T) {
	var ports []int
	var args []string
	for range 5 {
		ln, port := listen(t, "127.0.0.1:0")
		ports, args = append(ports, ln.Addr().(*net.TCPAddr).Port), append(args, port)
	}
	slices.Sort(ports)
	var got []int
	for _, l := range listJSON(t, args...)["listeners"].([]any) {
		got = append(got, int(l.(map[string]any)["port"].(float64)))
	}
	if !slices.Equal(got, ports) {
		t.Errorf("ports = %v, want %v", got, ports)
	}
}

func TestListShowsOnlyListenersReachableThroughLoopback(t *testing.T) {
	wildcard, port := listen(t, "0.0.0.0:0")
	l := listJSON(t, port)["listeners"].([]any)
	if len(l) != 1 || l[0].(map[string]any)["exposure"] != "network" {
		t.Errorf("listeners on %v = %v, want one with exposure network", wildcard.Addr(), l)
	}
	for _, a := range interfaceAddresses(t) {
		ln, port := listen(t, net.JoinHostPort(a, "0"))
		if l := listJSON(t, port)["listeners"].([]any); len(l) != 0 {
			t.Errorf("listeners on %v = %v, want none", ln.Addr(), l)
		}
	}
}

// interfaceAddresses returns this machine's IPv4 addresses without loopback.
func interfaceAddresses(t *testing.T) []string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			out = append(out, n.IP.String())
		}
	}
	return out
}

func TestListWithoutListeners(t *testing.T) {
	s := listJSON(t, fmt.Sprint(freeport.Get(t)))
	if got, isList := s["listeners"].([]any); !isList || len(got) != 0 {
		t.Errorf("listeners = %v, want an empty list", s["listeners"])
	}
	port := monitor.Ports{{First: 5432, Last: 5432}}
	for want, q := range map[string]query{
		"5432 is free.": {ports: port, Options: Options{All: true}},
		"Nothing listens on loopback in 3000-3999, 5432.": {ports: monitor.Ports{{First: 3000, Last: 3999}, {First: 5432, Last: 5432}}},
		"Nothing listens on loopback.":                    {},
	} {
		var out bytes.Buffer
		if err := q.printTable(t.Context(), &out, monitor.Snapshot{}); err != nil || out.String() != want+"\n" {
			t.Errorf("ports %v: got %q, %v, want %q", q.ports, out.String(), err, want)
		}
	}
}

func TestListUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port)
	for udp, want := range map[bool]int{false: 0, true: 1} {
		var out, stderr bytes.Buffer
		if err := runList(t.Context(), []string{port}, Options{JSON: true, UDP: udp, Stdout: &out, Stderr: &stderr}); err != nil || stderr.Len() > 0 {
			t.Fatalf("runList() = %v, stderr %q, want nil and empty stderr", err, stderr.String())
		}
		listeners := decode(t, out.Bytes())["listeners"].([]any)
		if len(listeners) != want {
			t.Fatalf("with UDP %t: got %d listeners on port %s, want %d", udp, len(listeners), port, want)
		}
		if want > 0 {
			if l := listeners[0].(map[string]any); l["protocol"] != "udp" || len(l["owners"].([]any)) != 1 {
				t.Errorf("listener = %v, want UDP with one owner", l)
			}
		}
	}
}

func TestPrintTable(t *testing.T) {
	address := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
	const loopback = monitor.ExposureLoopback
	s := monitor.Snapshot{Listeners: []*monitor.Listener{
		{Port: 631, Addresses: address("::1"), Exposure: loopback, User: "root", Service: "ipp"},
		{Port: 3000, Addresses: append(address("127.0.0.1"), address("::1")...), Exposure: loopback, User: "alice", Project: "acme-web",
			Owners: []monitor.Owner{{PID: 7, Name: "node"}, {PID: 8, Name: "node"}}},
		{Port: 8080, Addresses: address("0.0.0.0"), Exposure: monitor.ExposureNetwork, User: "mallory",
			Owners: []monitor.Owner{{PID: 9, Name: "a\x1b[31m\nb\u202e"}}},
		{Port: 9000, Addresses: address("127.0.0.1"), Exposure: loopback},
		{Port: 9001, Protocol: monitor.UDP, Addresses: address("127.0.0.1"), Exposure: loopback, User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "ntp.service"}},
		{Port: 9002, Addresses: address("127.0.0.1"), Exposure: loopback, User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "session-2.scope"}},
		{Port: 9003, Addresses: address("127.0.0.1"), Exposure: loopback, User: "root", CgroupInfo: monitor.CgroupInfo{ContainerID: strings.Repeat("3f2a", 16)}},
		{Port: 9004, Addresses: address("127.0.0.1"), Exposure: loopback, User: "root",
			CgroupInfo: monitor.CgroupInfo{Unit: "cups.service", Inferred: &monitor.Owner{PID: 12, Name: "cupsd"}}},
	}}
	q := query{rules: watch.Rules{{Ports: monitor.Ports{{First: 3000, Last: 3000}}}}}
	var out bytes.Buffer
	if err := q.printTable(t.Context(), &out, s); err != nil {
		t.Fatal(err)
	}
	want := `
PORT      ADDRESS         PROCESS                           PID   USER     EXPOSURE  PROJECT   SERVICE
631       ::1             unknown (user root)               -     root     loopback  -         ipp
3000*     127.0.0.1, ::1  node                              7 +1  alice    loopback  acme-web  -
8080      0.0.0.0         a [31m b                          9     mallory  network   -         -
9000      127.0.0.1       unknown                           -     -        loopback  -         -
9001/udp  127.0.0.1       unknown (ntp.service)             -     root     loopback  -         -
9002      127.0.0.1       unknown (user root)               -     root     loopback  -         -
9003      127.0.0.1       container 3f2a3f2a3f2a            -     root     loopback  -         -
9004      127.0.0.1       unknown (probably cupsd, PID 12)  -     root     loopback  -         -
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("table:\n got %s\nwant %s", got, want)
	}
}

func TestInvalidPorts(t *testing.T) {
	for text, want := range map[string]string{
		"70000": `"70000": a port is a number from 1 to 65535`,
		"0":     `"0": a port is a number from 1 to 65535`,
		"9-3":   `"9-3": a range goes from the lower port to the higher one`,
	} {
		for name, run := range map[string]func(*bytes.Buffer) error{
			"runList": func(out *bytes.Buffer) error {
				return runList(t.Context(), []string{text}, Options{JSON: true, Stdout: out, Stderr: out})
			},
			"runEvents": func(out *bytes.Buffer) error {
				return runEvents(t.Context(), []string{text}, Options{JSON: true, Stdout: out, Stderr: out})
			},
		} {
			var out bytes.Buffer
			err := run(&out)
			if err == nil || err.Error() != want || Status(err) != 2 || out.Len() != 0 {
				t.Errorf("%s(%s): error = %v (status %d), output %q, want %s, status 2, no output", name, text, err, Status(err), out.String(), want)
			}
		}
	}
}

// failingWriter fails like a closed pipe.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrorsAreReturned(t *testing.T) {
	_, port := listen(t, "127.0.0.1:0")
	for _, asJSON := range []bool{true, false} {
		var stderr bytes.Buffer
		o := Options{JSON: asJSON, Stdout: failingWriter{}, Stderr: &stderr}
		if err := runList(t.Context(), []string{port}, o); !errors.Is(err, os.ErrClosed) || Status(err) != 1 {
			t.Errorf("runList with JSON %t: error = %v (status %d), want %v, status 1", asJSON, err, Status(err), os.ErrClosed)
		}
		if err := runEvents(t.Context(), []string{port}, o); !errors.Is(err, os.ErrClosed) || Status(err) != 1 {
			t.Errorf("runEvents with JSON %t: error = %v (status %d), want %v, status 1", asJSON, err, Status(err), os.ErrClosed)
		}
	}
}
