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

	"porthole/monitor"
	"porthole/monitor/watch"
)

// keys of a JSON object, sorted.
func keys(object any) []string {
	m, _ := object.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

func sameKeys(t *testing.T, what string, object any, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := keys(object); !slices.Equal(got, want) {
		t.Errorf("keys of %s = %q, want %q", what, got, want)
	}
}

// Scripts rest on these names. A key that is added here is added for ever.
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
		t.Fatal("no IPv4 loopback")
	}
	setSettings(t, fmt.Sprintf("watches:\n  - ports: %d\n", port))
	s := listed(t, strconv.Itoa(port))
	sameKeys(t, "a snapshot", s, "taken_at", "listeners")
	if at, err := time.Parse(time.RFC3339, s["taken_at"].(string)); err != nil || !strings.HasSuffix(s["taken_at"].(string), "Z") || time.Since(at) > time.Minute {
		t.Errorf("taken_at = %v (%v), want now in UTC", s["taken_at"], err)
	}
	listeners := s["listeners"].([]any)
	if len(listeners) != 1 {
		t.Fatalf("listeners = %v, want one", listeners)
	}
	l := listeners[0].(map[string]any)
	sameKeys(t, "a listener", l, "id", "protocol", "port", "addresses", "reach", "user", "owners", "sockets", "service", "service_by", "project", "watched")
	for key, want := range map[string]any{
		"protocol": "tcp", "port": float64(port), "reach": "machine", "service": "Vite", "project": "acme-web", "watched": true,
	} {
		if l[key] != want {
			t.Errorf("%s = %v, want %v", key, l[key], want)
		}
	}
	if got := fmt.Sprint(l["addresses"]); got != "[127.0.0.1]" {
		t.Errorf("addresses = %s, want [127.0.0.1]", got)
	}
	owner := l["owners"].([]any)[0].(map[string]any)
	sameKeys(t, "an owner", owner, "pid", "name", "command", "program", "folder", "project", "user", "parent_pid", "started_at")
	if owner["pid"] != float64(pid) || owner["parent_pid"] != float64(os.Getpid()) || owner["folder"] != folder {
		t.Errorf("owner = %v; want pid %d, parent %d, folder %s", owner, pid, os.Getpid(), folder)
	}
	if got := fmt.Sprint(owner["command"]); got != "[node /srv/bin/vite --password=•••]" {
		t.Errorf("command = %s, want the password masked", got)
	}
	socket := l["sockets"].([]any)[0]
	sameKeys(t, "a socket", socket, "address", "owners")
	if got, want := fmt.Sprint(socket), fmt.Sprintf("map[address:127.0.0.1 owners:[%d]]", pid); got != want {
		t.Errorf("socket = %s, want %s", got, want)
	}

	var out bytes.Buffer
	if err := List(t.Context(), []string{strconv.Itoa(port)}, Options{JSON: true, Unmasked: true, Stdout: &out, Stderr: &out}); err != nil || !strings.Contains(out.String(), `"--password=hunter2"`) {
		t.Errorf("unmasked: %s, %v; want the password", out.String(), err)
	}
}

func TestListJSONOfAHiddenOwner(t *testing.T) {
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
	want := `{"id":"tcp-631-1","protocol":"tcp","port":631,"addresses":["127.0.0.1"],"reach":"machine","user":"root",` +
		`"owners":[],"sockets":[{"address":"127.0.0.1","owners":[]}],` +
		`"hidden":"another user's process, which only that user and root may look into","watched":false,"since":"1970-01-01T00:00:01Z"}` + "\n"
	if out.String() != want {
		t.Errorf("JSON:\n got %s\nwant %s", out.String(), want)
	}
}

func TestListJSONOfADeletedProgram(t *testing.T) {
	var out bytes.Buffer
	l := &monitor.Listener{Owners: []monitor.Owner{{PID: 7, Program: "/bin/server", Deleted: true}}}
	if err := writeLine(&out, query{}.listenerJSON(l)); err != nil {
		t.Fatal(err)
	}
	if want := `"program":"/bin/server","deleted":true`; !strings.Contains(out.String(), want) {
		t.Errorf("JSON = %s, want %s in it", out.String(), want)
	}
}

func TestListIsOrderedByPort(t *testing.T) {
	var ports []int
	var args []string
	for range 5 {
		ln, port := listen(t, "127.0.0.1:0")
		ports, args = append(ports, ln.Addr().(*net.TCPAddr).Port), append(args, port)
	}
	slices.Sort(ports)
	var got []int
	for _, l := range listed(t, args...)["listeners"].([]any) {
		got = append(got, int(l.(map[string]any)["port"].(float64)))
	}
	if !slices.Equal(got, ports) {
		t.Errorf("ports = %v, want %v", got, ports)
	}
}

func TestListShowsWhatLoopbackReaches(t *testing.T) {
	wide, port := listen(t, "0.0.0.0:0")
	l := listed(t, port)["listeners"].([]any)
	if len(l) != 1 || l[0].(map[string]any)["reach"] != "network" {
		t.Errorf("listeners on %v = %v, want one that the network can reach", wide.Addr(), l)
	}
	for _, a := range interfaceAddresses(t) {
		elsewhere, port := listen(t, net.JoinHostPort(a, "0"))
		if l := listed(t, port)["listeners"].([]any); len(l) != 0 {
			t.Errorf("listeners on %v = %v, want none: loopback does not lead there", elsewhere.Addr(), l)
		}
	}
}

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

func TestListOfNothing(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	s := listed(t, port)
	if got, isList := s["listeners"].([]any); !isList || len(got) != 0 {
		t.Errorf("listeners = %v, want an empty list", s["listeners"])
	}
	for want, q := range map[string]query{
		"5432 is free on loopback.":                       {ports: monitor.Ports{{First: 5432, Last: 5432}}},
		"Nothing listens on loopback at 3000-3999, 5432.": {ports: monitor.Ports{{First: 3000, Last: 3999}, {First: 5432, Last: 5432}}},
		"Nothing listens on loopback.":                    {},
	} {
		var out bytes.Buffer
		if err := q.printTable(t.Context(), &out, monitor.Snapshot{}); err != nil || out.String() != want+"\n" {
			t.Errorf("%v: %q, %v; want %q", q.ports, out.String(), err, want)
		}
	}
}

func TestListOfUDP(t *testing.T) {
	bound, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	port := strconv.Itoa(bound.LocalAddr().(*net.UDPAddr).Port)
	for udp, want := range map[bool]int{false: 0, true: 1} {
		var out, problems bytes.Buffer
		if err := List(t.Context(), []string{port}, Options{JSON: true, UDP: udp, Stdout: &out, Stderr: &problems}); err != nil || problems.Len() > 0 {
			t.Fatalf("List: %v, stderr %q", err, problems.String())
		}
		rows := decode(t, out.Bytes())["listeners"].([]any)
		if len(rows) != want {
			t.Fatalf("UDP %t: %d rows of port %s, want %d", udp, len(rows), port, want)
		}
		if want > 0 {
			if row := rows[0].(map[string]any); row["protocol"] != "udp" || len(row["owners"].([]any)) != 1 {
				t.Errorf("row %v, want UDP with one owner", row)
			}
		}
	}
}

func TestListForPeople(t *testing.T) {
	address := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
	s := monitor.Snapshot{Listeners: []*monitor.Listener{
		{Port: 631, Addresses: address("::1"), Exposure: monitor.ExposureLoopback, User: "root", Service: "ipp"},
		{Port: 3000, Addresses: append(address("127.0.0.1"), address("::1")...), Exposure: monitor.ExposureLoopback, User: "alice", Project: "acme-web",
			Owners: []monitor.Owner{{PID: 7, Name: "node"}, {PID: 8, Name: "node"}}},
		{Port: 8080, Addresses: address("0.0.0.0"), Exposure: monitor.ExposureNetwork, User: "mallory",
			Owners: []monitor.Owner{{PID: 9, Name: "a\x1b[31m\nb\u202e"}}},
		{Port: 9000, Addresses: address("127.0.0.1"), Exposure: monitor.ExposureLoopback},
		{Port: 9001, Protocol: monitor.UDP, Addresses: address("127.0.0.1"), Exposure: monitor.ExposureLoopback, User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "ntp.service"}},
		{Port: 9002, Addresses: address("127.0.0.1"), Exposure: monitor.ExposureLoopback, User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "session-2.scope"}},
		{Port: 9003, Addresses: address("127.0.0.1"), Exposure: monitor.ExposureLoopback, User: "root", CgroupInfo: monitor.CgroupInfo{ContainerID: strings.Repeat("3f2a", 16)}},
		{Port: 9004, Addresses: address("127.0.0.1"), Exposure: monitor.ExposureLoopback, User: "root",
			CgroupInfo: monitor.CgroupInfo{Unit: "cups.service", Inferred: &monitor.Owner{PID: 12, Name: "cupsd"}}},
	}}
	q := query{rules: watch.Rules{{Ports: monitor.Ports{{First: 3000, Last: 3000}}}}}
	var out bytes.Buffer
	if err := q.printTable(t.Context(), &out, s); err != nil {
		t.Fatal(err)
	}
	want := `
PORT      ADDRESS         PROCESS                          PID   USER     REACH         PROJECT   SERVICE
631       ::1             root's process (hidden)          -     root     this machine  -         ipp
3000*     127.0.0.1, ::1  node                             7 +1  alice    this machine  acme-web  -
8080      0.0.0.0         a [31m b                         9     mallory  the network   -         -
9000      127.0.0.1       hidden                           -              this machine  -         -
9001/udp  127.0.0.1       ntp.service (hidden)             -     root     this machine  -         -
9002      127.0.0.1       root's process (hidden)          -     root     this machine  -         -
9003      127.0.0.1       container 3f2a3f2a3f2a (hidden)  -     root     this machine  -         -
9004      127.0.0.1       cupsd (inferred, PID 12)         -     root     this machine  -         -
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("table:\n got %s\nwant %s", got, want)
	}
}

func TestBadInput(t *testing.T) {
	for text, want := range map[string]string{
		"70000": `"70000": a port is a number from 1 to 65535`,
		"0":     `"0": a port is a number from 1 to 65535`,
		"http":  `"http": a port is a number from 1 to 65535`,
		"9-3":   `"9-3": a range goes from the lower port to the higher one`,
	} {
		for name, run := range map[string]func(*bytes.Buffer) error{
			"List": func(out *bytes.Buffer) error {
				return List(t.Context(), []string{text}, Options{JSON: true, Stdout: out, Stderr: out})
			},
			"Events": func(out *bytes.Buffer) error {
				return Events(t.Context(), []string{text}, Options{JSON: true, Stdout: out, Stderr: out})
			},
		} {
			var out bytes.Buffer
			err := run(&out)
			if err == nil || err.Error() != want || Status(err) != 2 || out.Len() != 0 {
				t.Errorf("%s %s: %v (status %d), output %q; want %s, status 2, no output", name, text, err, Status(err), out.String(), want)
			}
		}
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("no luck"), 1},
		{UsageError{"what?"}, 2},
		{fmt.Errorf("list: %w", UsageError{"what?"}), 2},
	} {
		if got := Status(test.err); got != test.want {
			t.Errorf("Status(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}

func TestBrokenSettingsAreSaidAndTheDefaultsHold(t *testing.T) {
	setSettings(t, "watches:\n  - ports: 70000\n")
	var out, problems bytes.Buffer
	if err := List(t.Context(), []string{"62893"}, Options{JSON: true, Stdout: &out, Stderr: &problems}); err != nil {
		t.Fatal(err)
	}
	if got := problems.String(); !strings.Contains(got, "line 2") || !strings.HasSuffix(got, "; the defaults hold\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("stderr = %q, want one line with the place, the reason and what holds", got)
	}
	decode(t, out.Bytes())
	if q, _ := newQuery(nil, Options{Stderr: &problems}); !q.rules.WatchesPort(62893) {
		t.Errorf("rules = %+v, want the default one", q.rules)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestOutputThatIsGone(t *testing.T) {
	_, port := listen(t, "127.0.0.1:0")
	for _, asJSON := range []bool{true, false} {
		var problems bytes.Buffer
		if err := List(t.Context(), []string{port}, Options{JSON: asJSON, Stdout: brokenPipe{}, Stderr: &problems}); !errors.Is(err, os.ErrClosed) || Status(err) != 1 {
			t.Errorf("List, JSON %t: %v, status %d; want %v, status 1", asJSON, err, Status(err), os.ErrClosed)
		}
		if err := Events(t.Context(), []string{port}, Options{JSON: asJSON, Stdout: brokenPipe{}, Stderr: &problems}); !errors.Is(err, os.ErrClosed) || Status(err) != 1 {
			t.Errorf("Events, JSON %t: %v, status %d; want %v, status 1", asJSON, err, Status(err), os.ErrClosed)
		}
	}
}
