package socket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"

	"porthole/monitor"
)

func connection(family uint32, ip string, port uint32, status string) psnet.ConnectionStat {
	return psnet.ConnectionStat{Type: 1, Family: family, Laddr: psnet.Addr{IP: ip, Port: port}, Status: status, Pid: 10}
}

func TestAppendConnections(t *testing.T) {
	const inet, inet6 = 2, 10
	for _, test := range []struct {
		in   psnet.ConnectionStat
		want string // "address port"; "" for no socket
	}{
		{connection(inet, "127.0.0.1", 3000, "LISTEN"), "127.0.0.1 3000"},
		{connection(inet, "*", 3000, "LISTEN"), "0.0.0.0 3000"},
		{connection(inet6, "*", 3000, "LISTEN"), ":: 3000"},
		{connection(30, "*", 3000, "LISTEN"), ":: 3000"}, // AF_INET6 of macOS
		{connection(inet, "", 3000, "LISTEN"), "0.0.0.0 3000"},
		{connection(inet6, "::1", 3000, "LISTEN"), "::1 3000"},
		{connection(inet6, "[::1]", 3000, "LISTEN"), "::1 3000"},
		{connection(inet6, "fe80::1%lo0", 3000, "LISTEN"), "fe80::1%lo0 3000"},
		{connection(inet6, "::ffff:127.0.0.1", 65535, "LISTEN"), "::ffff:127.0.0.1 65535"},
		{connection(inet, "localhost", 3000, "LISTEN"), ""},
		{connection(inet, "127.0.0.1", 0, "LISTEN"), ""},
		{connection(inet, "127.0.0.1", 65536, "LISTEN"), ""},
		{connection(inet, "127.0.0.1", 3000, "ESTABLISHED"), ""},
		{connection(inet, "127.0.0.1", 3000, "TIME_WAIT"), ""},
		{connection(inet, "127.0.0.1", 3000, ""), ""},
	} {
		got := ""
		if rows := appendConnections(nil, []psnet.ConnectionStat{test.in}); len(rows) > 0 {
			s := rows[0]
			got = fmt.Sprint(s.Address, " ", s.Port)
			if len(rows) != 1 || s.PID != 10 || s.Protocol != monitor.TCP || s.ID == 0 {
				t.Errorf("%+v: got %+v, want one TCP socket of process 10 with an ID", test.in, rows)
			}
		}
		if got != test.want {
			t.Errorf("%+v: %q, want %q", test.in, got, test.want)
		}
	}
}

func TestPortableUDP(t *testing.T) {
	bound := psnet.ConnectionStat{Type: 2, Family: 2, Laddr: psnet.Addr{IP: "127.0.0.1", Port: 53}, Status: "NONE"}
	connected := bound
	connected.Raddr = psnet.Addr{IP: "127.0.0.1", Port: 9}
	rows := appendConnections(nil, []psnet.ConnectionStat{bound, connected})
	if len(rows) != 1 || rows[0].Protocol != monitor.UDP || rows[0].Port != 53 {
		t.Errorf("got %+v, want the one that is not connected", rows)
	}
}

func TestPortableIdentity(t *testing.T) {
	a, b := connection(2, "127.0.0.1", 3000, "LISTEN"), connection(2, "127.0.0.1", 3000, "LISTEN")
	b.Pid = 11
	first := appendConnections(nil, []psnet.ConnectionStat{a, a, b})
	second := appendConnections(nil, []psnet.ConnectionStat{b, a})
	if len(first) != 2 || len(second) != 2 || first[0] != second[1] || first[1] != second[0] || first[0].ID == first[1].ID {
		t.Errorf("got %+v, then %+v; want two sockets, one per process, the same each time", first, second)
	}
	a.Uids = []int32{7}
	if got := appendConnections(nil, []psnet.ConnectionStat{a}); got[0].UID != 7 {
		t.Errorf("got UID %d, want 7", got[0].UID)
	}
}

func TestScanErrorIsReported(t *testing.T) {
	p := newPortable()
	p.scan = func(context.Context, string) ([]psnet.ConnectionStat, error) { return nil, errors.New("no lsof") }
	for range 100 { // a result that arrives immediately is never mistaken for a timeout
		if _, _, err := p.Poll(monitor.PollOptions{}); err == nil || !strings.Contains(err.Error(), "no lsof") {
			t.Fatalf("Poll: %v, want the error of the scan", err)
		}
	}
	p.scan = func(context.Context, string) ([]psnet.ConnectionStat, error) { return nil, nil }
	for range 1000 {
		if _, _, err := p.Poll(monitor.PollOptions{}); err != nil {
			t.Fatalf("Poll: %v, want no error", err)
		}
	}
}

func TestHangingScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		running, most := 0, 0
		p := newPortable()
		p.scan = func(context.Context, string) ([]psnet.ConnectionStat, error) {
			running++
			most = max(most, running)
			<-free // ignores its deadline, like a read from a dead mount
			running--
			return []psnet.ConnectionStat{connection(2, "127.0.0.1", 3000, "LISTEN")}, nil
		}
		before := time.Now()
		if _, _, err := p.Poll(monitor.PollOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Poll: %v, want %v", err, context.DeadlineExceeded)
		}
		if took := time.Since(before); took != scanLimit {
			t.Errorf("gave up after %v, want %v", took, scanLimit)
		}
		for range 3 {
			if _, _, err := p.Poll(monitor.PollOptions{}); !errors.Is(err, errBusy) {
				t.Errorf("Poll while a scan hangs: %v, want %v", err, errBusy)
			}
		}
		close(free)
		synctest.Wait()
		if got, _, err := p.Poll(monitor.PollOptions{}); err != nil || len(got) != 1 {
			t.Errorf("Poll after it ended: %v, %v; want one socket", got, err)
		}
		if most != 1 {
			t.Errorf("got %d concurrent scans, want 1", most)
		}
	})
}
