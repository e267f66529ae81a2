package integration

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

// A process that holds a port executes another program, which keeps the port. Nothing
// else about it changes: not its PID, its start, or its descriptors. It is noticed when
// the holders are checked, long before the next search.
func TestExecuteAnotherProgram(t *testing.T) {
	cat, err := exec.LookPath("cat") // ends with its input, like every child here
	if err != nil {
		t.Skip("needs cat")
	}
	if cat, err = filepath.EvalSymlinks(cat); err != nil {
		t.Fatal(err)
	}
	goOn, mine, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	c := child.Serve(t, "execute", child.With(cat), child.Holding(goOn))
	_ = goOn.Close()
	w := watch(t, c.Port, 0)
	w.rows(fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID))
	before := len(w.events)
	begun := time.Now()
	if _, err := mine.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
	w.see("the new program", func(s monitor.Snapshot) bool {
		rows := onPort(s, c.Port)
		return len(rows) == 1 && len(rows[0].Owners) == 1 && filepath.Base(rows[0].Owners[0].Program) == filepath.Base(cat) && rows[0].Owners[0].Name == "cat"
	})
	t.Logf("noticed after %v", time.Since(begun).Round(10*time.Millisecond))
	for _, e := range w.events[before:] {
		if e.Kind != monitor.Updated {
			t.Errorf("event %s; the process is the same, so this is an update", e.Kind)
		}
	}
}

// playExecute listens and, at a line in descriptor 3, executes the program in its
// arguments.
func playExecute() child.Listening {
	ln, file := child.ListenerFile()
	program := os.Args[1]
	go func() {
		_, _ = bufio.NewReader(os.NewFile(3, "go on")).ReadString('\n')
		if _, err := unix.FcntlInt(file.Fd(), unix.F_SETFD, 0); err != nil {
			child.Fail(err)
		}
		child.Fail(syscall.Exec(program, []string{"cat"}, nil))
	}()
	return child.Listening{Port: child.Port(ln)}
}
