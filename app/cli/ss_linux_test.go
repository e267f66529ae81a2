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
)

// List comes to what ss(8), which everyone trusts, comes to: address, port and
// the processes that this user may see.
func TestListAgreesWithSS(t *testing.T) {
	if _, err := exec.LookPath("ss"); err != nil {
		t.Skip("needs ss (iproute2)")
	}
	ports := make(map[string]bool)
	start := func(address string, change func(*exec.Cmd)) {
		if _, port, ok := server(t, address, change); ok {
			ports[strconv.Itoa(port)] = true
		}
	}
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		start(address, nil)
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if os.Getuid() == 0 {
		start("127.0.0.1:0", func(c *exec.Cmd) { c.SysProcAttr, c.Dir = nobody, "/" })
	}
	agree := func(t *testing.T, as *syscall.SysProcAttr) {
		ss := exec.Command("ss", "-Hltnp")
		list := command("list", slices.Sorted(maps.Keys(ports))...)
		for _, c := range []*exec.Cmd{ss, list} {
			c.SysProcAttr, c.Dir = as, "/"
		}
		theirs, err := ss.Output()
		if err != nil {
			t.Skipf("ss does not work here: %v", err)
		}
		ours, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		got, want := rowsOfList(t, ours), rowsOfSS(t, string(theirs), ports)
		if !slices.Equal(got, want) || len(got) < 2 {
			t.Errorf("List, then ss:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
		t.Logf("%d rows: %q", len(got), got)
	}
	t.Run("as this user", func(t *testing.T) { agree(t, nil) })
	t.Run("as another user", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("needs root: to look as another user")
		}
		agree(t, nobody)
	})
}

// rowsOfList writes a snapshot as "address port pids".
func rowsOfList(t *testing.T, b []byte) []string {
	t.Helper()
	var rows []string
	for _, l := range decode(t, b)["listeners"].([]any) {
		l := l.(map[string]any)
		for _, s := range l["sockets"].([]any) {
			s := s.(map[string]any)
			rows = append(rows, fmt.Sprint(s["address"], " ", l["port"], " ", s["owners"]))
		}
	}
	slices.Sort(rows)
	return rows
}

var ssPID = regexp.MustCompile(`pid=(\d+)`)

func rowsOfSS(t *testing.T, text string, ports map[string]bool) []string {
	t.Helper()
	var rows []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			t.Fatalf("ss says %q", line)
		}
		i := strings.LastIndexByte(fields[3], ':')
		address, port := strings.Trim(fields[3][:i], "[]"), fields[3][i+1:]
		if address == "*" {
			address = "::" // both families
		}
		if !ports[port] {
			continue
		}
		pids := []int{}
		for _, m := range ssPID.FindAllStringSubmatch(line, -1) {
			pid, _ := strconv.Atoi(m[1]) // digits by the expression
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
		slices.Sort(pids)
		rows = append(rows, fmt.Sprint(address, " ", port, " ", pids))
	}
	slices.Sort(rows)
	return rows
}
