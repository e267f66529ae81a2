package cli

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"porthole/monitor/process/child"
)

// list must agree with ss(8) on addresses, ports and the PIDs that the user can
// see.
func TestListAgreesWithSS(t *testing.T) {
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip("needs ss (iproute2)")
	}
	ports := make(map[string]bool)
	start := func(address string, change ...func(*exec.Cmd)) {
		if _, port, ok := server(t, address, change...); ok {
			ports[strconv.Itoa(port)] = true
		}
	}
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		start(address)
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if os.Getuid() == 0 {
		start("127.0.0.1:0", child.AsNobody)
	}
	compare := func(t *testing.T, user *syscall.SysProcAttr) {
		ss := exec.Command("ss", "-Hltnp")
		list := command("list", slices.Sorted(maps.Keys(ports))...)
		for _, c := range []*exec.Cmd{ss, list} {
			c.SysProcAttr, c.Dir = user, "/"
		}
		theirs, err := ss.Output()
		if err != nil {
			t.Skipf("ss does not work on this machine: %v", err)
		}
		ours, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		got, want := parseList(t, ours), parseSS(t, string(theirs), ports)
		if !slices.Equal(got, want) || len(got) < 2 {
			t.Errorf("list and ss differ:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
		t.Logf("%d sockets: %q", len(got), got)
	}
	t.Run("as this user", func(t *testing.T) { compare(t, nil) })
	t.Run("as another user", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("needs root, to run as another user")
		}
		compare(t, nobody)
	})
}

// parseList returns the sockets of a snapshot as "address port PIDs".
func parseList(t *testing.T, b []byte) []string {
	t.Helper()
	var sockets []string
	for _, l := range decode(t, b)["listeners"].([]any) {
		l := l.(map[string]any)
		for _, s := range l["sockets"].([]any) {
			s := s.(map[string]any)
			sockets = append(sockets, fmt.Sprint(s["address"], " ", l["port"], " ", s["owners"]))
		}
	}
	slices.Sort(sockets)
	return sockets
}

var ssPID = regexp.MustCompile(`pid=(\d+)`)

// parseSS returns the sockets on ports in the output of ss as "address port PIDs".
func parseSS(t *testing.T, text string, ports map[string]bool) []string {
	t.Helper()
	var sockets []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			t.Fatalf("ss printed %q, want at least 5 fields", line)
		}
		i := strings.LastIndexByte(fields[3], ':')
		address, port := strings.Trim(fields[3][:i], "[]"), fields[3][i+1:]
		if address == "*" {
			address = "::" // IPv4 and IPv6
		}
		if !ports[port] {
			continue
		}
		pids := []int{}
		for _, m := range ssPID.FindAllStringSubmatch(line, -1) {
			pid, _ := strconv.Atoi(m[1]) // matches only digits
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
		slices.Sort(pids)
		sockets = append(sockets, fmt.Sprint(address, " ", port, " ", pids))
	}
	slices.Sort(sockets)
	return sockets
}
