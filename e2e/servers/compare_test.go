//go:build linux

package main

import (
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The output of ss 6.1 and what porthole printed beside it.
const (
	sockets = `udp UNCONN 0 0 0.0.0.0%eth0:5353 0.0.0.0:* users:(("avahi-daemon",pid=41,fd=12)) uid:108 ino:5 sk:1 cgroup:/system.slice/avahi-daemon.service <->
tcp LISTEN 0 511 *:80 *:* users:(("nginx",pid=52,fd=6),("nginx",pid=51,fd=6)) ino:7 sk:3 cgroup:/system.slice/nginx.service v6only:0 <->
tcp LISTEN 0 511 [fe80::1]%eth0:81 [::]:* ino:8 sk:4 v6only:1 <->
`
	processes = "51\tnginx \troot\t/system.slice/nginx.service\t/usr/sbin/nginx\tnginx: master process \n52\tnginx \twww-data\t/system.slice/nginx.service\t/usr/sbin/nginx\tnginx: worker process \n"
	rowOf80   = `{"protocol":"tcp","port":80,"addresses":["::"],"user":"root","owners":[{"pid":51,"name":"PROCESS","user":"USER"},{"pid":52,"name":"nginx"}],` +
		`"sockets":[{"address":"::","owners":[51,52]}],"service":"SERVICE","service_by":"BY","why":{"sentence":"WHY"},"warnings":[WARNING]}`
)

func TestParseSockets(t *testing.T) {
	got := parseSockets(sockets)
	want := []realSocket{
		{"udp", netip.MustParseAddr("0.0.0.0"), 5353, []int{41}},
		{"tcp", netip.MustParseAddr("::"), 80, []int{52, 51}},
		{"tcp", netip.MustParseAddr("fe80::1"), 81, nil},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d sockets, want %d: %v", len(got), len(want), got)
	}
	for i, w := range want {
		if g := got[i]; g.protocol != w.protocol || g.address != w.address || g.port != w.port || !slices.Equal(g.owners, w.owners) {
			t.Errorf("got %v, want %v", g, w)
		}
	}
}

func TestCompare(t *testing.T) {
	good := []string{"SERVICE", "nginx", "BY", "program", "PROCESS", "nginx", "USER", "root", "WHY", "Started by systemd as nginx.service", "WARNING", ""}
	for _, c := range []struct {
		name                 string
		replace, replaceUser []string
		before               string // a socket that is closed before the list
		port                 uint16 // of the server, if not 80
		verdict, flags       string
	}{
		{name: "as it should be", verdict: right},
		{name: "the protocol only", replace: []string{"SERVICE", "HTTP", "BY", "port"}, verdict: partly, flags: "D"},
		{name: "no service", replace: []string{"SERVICE", ""}, verdict: partly, flags: "D"},
		{name: "another program", replace: []string{"SERVICE", "Apache"}, verdict: wrong, flags: "D"},
		{name: "an incomplete process name", replace: []string{"PROCESS", "ngin"}, verdict: partly},
		{name: "another process", replace: []string{"PROCESS", "systemd"}, verdict: wrong},
		{name: "an owner too many", replace: []string{"[51,52]", "[51,52,1]"}, verdict: wrong},
		{name: "a socket that is not shown", replace: []string{`"port":80`, `"port":8080`}, verdict: wrong},
		{name: "another user", replace: []string{"USER", "www-data"}, verdict: right, flags: "U"},
		{name: "the unit is not named", replace: []string{"WHY", "A child of systemd"}, verdict: right, flags: "W"},
		{name: "a needless warning", replace: []string{"WARNING", `{"kind":"root"}`}, verdict: right, flags: "R"},
		{name: "another name as a user", replaceUser: []string{"SERVICE", "HTTP"}, verdict: right, flags: "D"},
		{name: "a socket that was closed meanwhile", before: strings.Split(sockets, "\n")[2] + "\n", verdict: right},
		{name: "only another server listens", port: 443, verdict: quiet},
	} {
		dir := t.TempDir()
		l := &lab{dir: dir, expected: []expectation{{run: "nginx", unit: "nginx.service", service: "nginx", process: "nginx", ports: []expectedPort{{port: cmp.Or(c.port, 80), protocol: "tcp", exposed: true}}}}}
		r := run{name: "nginx", unit: "nginx"}
		write := func(name, text string) {
			t.Helper()
			if err := os.MkdirAll(l.records(r), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(l.records(r), name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fill := func(more []string) string {
			return `{"listeners":[` + strings.NewReplacer(append(slices.Clone(more), good...)...).Replace(rowOf80) + "]}"
		}
		lasting := strings.Split(sockets, "\n")[1] + "\n"
		write("sockets", c.before+lasting)
		write("sockets.after", lasting)
		write("processes", processes)
		write("list.root.json", fill(c.replace))
		write("who.80.root.json", fill(c.replace))
		write("list.user.json", fill(c.replaceUser))
		got := l.compare(r)
		if got.verdict != c.verdict || got.flags != c.flags {
			t.Errorf("%s: got %s [%s], want %s [%s]: %q", c.name, got.verdict, got.flags, c.verdict, c.flags, got.faults)
		}
		if len(got.faults) == 0 && c.verdict != quiet && (c.verdict != right || c.flags != "") {
			t.Errorf("%s: no reason is given", c.name)
		}
	}
}

// A server with random ports is found by its process, one of another server does not count.
func TestListens(t *testing.T) {
	erlang, err := parseExpectation("erl | - | /usr/bin/beam.smp | beam.smp | beam.smp | e*39079 | Erlang | beam.smp | |")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{expected: []expectation{erlang, {run: "epmd", comm: "epmd", ports: []expectedPort{{port: 4369, protocol: "tcp"}}}}}
	r := run{name: "erl", also: []string{"epmd"}}
	seen := truth{
		sockets:   []realSocket{{protocol: "tcp", port: 4369, owners: []int{7}}},
		processes: map[int]realProcess{7: {comm: "epmd"}, 8: {comm: "beam.smp"}},
	}
	if l.listens(r, seen) {
		t.Error("epmd's port counts as one of erl")
	}
	seen.sockets = append(seen.sockets, realSocket{protocol: "tcp", port: 41000, owners: []int{8}})
	if !l.listens(r, seen) {
		t.Error("erl's random port does not count")
	}
}
