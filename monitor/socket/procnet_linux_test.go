package socket

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/rawsocket"
	"porthole/monitor"
)

const (
	procHeading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	procRest    = " 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n"
)

func TestParseProcNet(t *testing.T) {
	needLittleEndian(t)
	tcp := procTCP[0]
	for _, test := range []struct{ name, in, want string }{
		{"nothing listens", procHeading, ""},
		{"IPv4", procHeading + "   0: 0100007F:F5AD 00000000:0000 0A" + procRest, "tcp [127.0.0.1]:62893 uid 0 inode true id true v6only false"},
		{"IPv6", procHeading + "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A" + procRest, "tcp [::1]:8080 uid 0 inode true id true v6only false"},
		{"IPv4 on IPv6", procHeading + "   0: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A" + procRest, "tcp [::ffff:127.0.0.1]:8080 uid 0 inode true id true v6only false"},
		{"a connection", procHeading + "   0: 0100007F:F5AD 0100007F:1F90 01" + procRest, ""},
		{"port 0", procHeading + "   0: 0100007F:0000 00000000:0000 0A" + procRest, ""},
		{"another file", "Iface\tDestination\n", "error"},
		{"an empty file", "", "error"},
		{"a truncated row", procHeading + "   0: 0100007F:F5AD 00000000:0000 0A\n", "error"},
		{"an address of three bytes", procHeading + "   0: 000000:F5AD 00000000:0000 0A" + procRest, "error"},
		{"an invalid port", procHeading + "   0: 0100007F:F5ADF 00000000:0000 0A" + procRest, "error"},
	} {
		rows, err := parseProcNet(nil, []byte(test.in), tcp)
		got := "error"
		if err == nil {
			got = ""
			for _, s := range rows {
				got += formatSocket(s)
			}
		}
		if got != test.want {
			t.Errorf("%s: %q (%v), want %q", test.name, got, err, test.want)
		}
	}
}

// withoutIdentity removes the fields that /proc/net does not have.
func withoutIdentity(sockets []monitor.Socket) []monitor.Socket {
	for i := range sockets {
		sockets[i].ID, sockets[i].V6Only, sockets[i].Cgroup = 0, false, 0
	}
	slices.SortFunc(sockets, func(a, b monitor.Socket) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return sockets
}

func TestProcNetReportsTheSameAsSockDiag(t *testing.T) {
	table := open(t)
	rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	rawsocket.Bind(t, unix.SOCK_STREAM, "::1", 0).Listen(t)
	rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0) // does not listen
	rawsocket.Bind(t, unix.SOCK_DGRAM, "127.0.0.1", 0)
	rawsocket.Bind(t, unix.SOCK_DGRAM, "::1", 0)
	var diff string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); { // other programs open and close sockets too
		want, got := withoutIdentity(poll(t, table, true)), withoutIdentity(poll(t, newProcNet(), true))
		if slices.Equal(got, want) {
			return
		}
		diff = fmt.Sprintf("/proc/net:\n%v\nsock_diag:\n%v", got, want)
	}
	t.Error(diff)
}

func TestProcNetIdentityIsConstant(t *testing.T) {
	k := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0).Listen(t)
	table := newProcNet()
	first, second := socketsOf(t, table, k.Inode), socketsOf(t, table, k.Inode)
	if len(first) != 1 || !slices.Equal(first, second) {
		t.Errorf("got %+v, then %+v; want the same socket", first, second)
	}
}

func TestProcNetWithoutIPv6(t *testing.T) {
	p := newProcNet()
	p.folder = t.TempDir()
	if _, _, err := p.Poll(monitor.PollOptions{UDP: true}); err == nil {
		t.Error("an empty folder: got no error, want one")
	}
	if err := os.WriteFile(filepath.Join(p.folder, "tcp"), []byte(procHeading), 0o600); err != nil {
		t.Fatal(err)
	}
	if sockets, _, err := p.Poll(monitor.PollOptions{UDP: true}); err != nil || len(sockets) != 0 {
		t.Errorf("only tcp: %v, %v; want nothing, and no error", sockets, err)
	}
}

func FuzzParseProcNet(f *testing.F) {
	for _, file := range procAll {
		if b, err := os.ReadFile("/proc/net/" + file.name); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte(procHeading + "   0: 0100007F:F5AD 00000000:0000 0A" + procRest))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := parseProcNet(nil, b, procTCP[0])
		for _, s := range rows {
			if !s.Address.IsValid() || s.Port == 0 || s.ID == 0 {
				t.Errorf("%+v has no address, port or ID", s)
			}
		}
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("the error has no text")
		}
	})
}

func TestProcNetReportsChanges(t *testing.T) {
	p := newProcNet()
	p.folder = t.TempDir()
	for i, test := range []struct {
		rows    string
		changed bool
	}{
		{"", true},
		{"", false},
		{"   0: 0100007F:F5AD 00000000:0000 0A" + procRest, true},
		{"   0: 0100007F:F5AD 00000000:0000 0A" + procRest, false},
	} {
		if err := os.WriteFile(filepath.Join(p.folder, "tcp"), []byte(procHeading+test.rows), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, changed, err := p.Poll(monitor.PollOptions{}); err != nil || changed != test.changed {
			t.Errorf("poll %d: changed %t, %v; want %t", i, changed, err, test.changed)
		}
	}
}
