package connection

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"porthole/monitor"
)

func from(id int, remote, name string, pid int, user string) Conn {
	return Conn{ID: monitor.SocketID(id), Local: netip.MustParseAddrPort("10.0.0.1:5432"), Remote: netip.MustParseAddrPort(remote), User: user, Client: Client{PID: pid, Name: name}}
}

func names(all []NewVisitor) (texts []string) {
	for _, v := range all {
		texts = append(texts, v.Listener+": "+v.Client().Text())
	}
	slices.Sort(texts)
	return texts
}

func TestVisitors(t *testing.T) {
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	want := func(what string, got []NewVisitor, want ...string) {
		t.Helper()
		if !slices.Equal(names(got), want) {
			t.Errorf("%s: got %q, want %q", what, names(got), want)
		}
	}
	var v Visitors
	want("established", v.Established(at(0), established(
		from(1, "127.0.0.1:50000", "psql", 812, "ann"), from(2, "127.0.0.1:50001", "", 0, "bob"), from(3, "192.168.1.20:4000", "", 0, ""), from(4, "10.0.0.1:50002", "evil\x1b[31m", 813, "ann"))),
		"a: 192.168.1.20", "a: evil [31m (PID 813, user ann)", "a: psql (PID 812, user ann)")
	want("the process of bob is found", v.Established(at(1), established(from(1, "127.0.0.1:50000", "psql", 812, "ann"), from(2, "127.0.0.1:50001", "curl", 900, "bob"))), "a: curl (PID 900, user bob)")
	ended := func(id int, remote string) Ended {
		return Ended{ID: monitor.SocketID(id), Local: netip.MustParseAddrPort("10.0.0.1:5432"), Remote: netip.MustParseAddrPort(remote)}
	}
	want("known connection ends", v.Ended(nil, at(2), "a", ended(1, "127.0.0.1:50000")))
	want("known address", v.Ended(nil, at(2), "a", ended(10, "192.168.1.20:4001")))
	want("unknown program", v.Ended(nil, at(2), "a", ended(11, "127.0.0.1:4001")), "a: ")
	want("again", v.Ended(nil, at(2), "a", ended(12, "127.0.0.1:4002")))
	want("new address", v.Ended(nil, at(2), "a", ended(13, "[::ffff:192.168.1.21]:4002")), "a: 192.168.1.21")
	var got []string
	for _, c := range v.LastHour(at(61), "a") {
		got = append(got, fmt.Sprintf("%s ×%d", c.Client().Text(), c.Connections))
	}
	if want := []string{"192.168.1.20 ×2", "192.168.1.21 ×1", " ×2", "curl (PID 900, user bob) ×1"}; !slices.Equal(got, want) {
		t.Errorf("last hour: got %q, want %q", got, want)
	}
	want("another listener", v.Established(at(3), map[string]State{"b": {Conns: []Conn{from(20, "192.168.1.20:4000", "", 0, "")}}}), "b: 192.168.1.20")
	if got := v.LastHour(at(3), "a"); len(got) != 0 {
		t.Errorf("closed listener: got %v", got)
	}
}

func TestVisitorsAreLimited(t *testing.T) {
	var v Visitors
	var added []NewVisitor
	for i := range 1000 {
		e := Ended{ID: monitor.SocketID(i + 1), Local: netip.MustParseAddrPort("10.0.0.1:80"), Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 4000)}
		added = v.Ended(added, start, "a", e)
	}
	if n := len(v.LastHour(start, "a")); n != maxVisitors || len(added) != maxVisitors {
		t.Errorf("got %d clients and %d new ones, want %d", n, len(added), maxVisitors)
	}
}
