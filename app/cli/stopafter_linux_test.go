package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/dockertest"
	"porthole/internal/freeport"
	"porthole/monitor/process/child"
)

// Stop stops only the owners that list shows for the same arguments.
func TestStopEndsOnlyWhatListShows(t *testing.T) {
	if !dockertest.Isolated(t) {
		return
	}
	local, _ := startTarget(t, "listen", child.At("127.0.0.1:9603"))
	away, _ := startTarget(t, "listen", child.At("10.7.0.1:9603"))
	out, err := stopOutput(t, "9603", stopOptions{Yes: true})
	if err != nil || isRunning(local) || !isRunning(away) {
		t.Errorf("stop 9603: error = %v, running = %t and %t, want only the one on 10.7.0.1\n%s", err, isRunning(local), isRunning(away), out)
	}
	preview, after, _ := strings.Cut(out, "Waiting up to")
	if !strings.Contains(preview, "127.0.0.1:9603") || strings.Contains(preview, "10.7.0.1") {
		t.Errorf("stop 9603 printed\n%s\nwant only the address that it stops", preview)
	}
	if want := "Nothing listens on 9603 on loopback, but the port is not free. "; !strings.Contains(after, want) || !strings.Contains(after, fmt.Sprintf("(PID %d) listens on 10.7.0.1:9603", away)) {
		t.Errorf("stop 9603 printed\n%s\nwant %q and the other address", after, want)
	}
	out, err = stopOutput(t, "9603", stopOptions{Yes: true})
	if want := fmt.Sprintf("nothing listens on 9603 on loopback. %s (%d) listens on 10.7.0.1:9603; to stop it: porthole stop 9603 --all", filepath.Base(os.Args[0]), away); Status(err) != 1 || !isRunning(away) || err.Error() != want {
		t.Errorf("stop 9603 again: error = %v, running = %t, want that 10.7.0.1:9603 is not taken\n%s", err, isRunning(away), out)
	}
	all := stopOptions{Yes: true}
	all.All = true
	if out, err = stopOutputWith(t, "9603", all); err != nil || isRunning(away) {
		t.Errorf("stop 9603 --all: error = %v, running = %t, want nil and false\n%s", err, isRunning(away), out)
	}
}

// A server that wanted all addresses reports them, and not the one that is taken.
func TestStopAnotherAddressSaysHow(t *testing.T) {
	pid, port := startTarget(t, "listen", child.At("127.0.0.1:0"))
	out, err := stopOutput(t, "Error: listen EADDRINUSE: address already in use :::"+port, stopOptions{Yes: true})
	if want := "listens on 127.0.0.1:" + port + "; to stop it: porthole stop " + port; Status(err) != 1 || !isRunning(pid) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error = %v, running = %t, want %q\n%s", err, isRunning(pid), want, out)
	}
}

// stopOutputWith is stopOutput with options that select listeners.
func stopOutputWith(t *testing.T, target string, o stopOptions) (string, error) {
	t.Helper()
	setSettings(t, "")
	var out strings.Builder
	o.Stdout, o.Stderr = &out, &out
	err := runStop(t.Context(), target, o)
	return out.String(), err
}

// With an address, stop stops only the owners of the listeners that accept connections
// to it.
func TestStopOneAddress(t *testing.T) {
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		t.Skip("needs IPv6")
	}
	for target, want := range map[string]string{"127.0.0.1": "first", "[::1]": "second", "http://127.0.0.1": "first", "localhost": "both"} {
		first, port := startTarget(t, "listen")
		second, _ := startTarget(t, "listen", child.At("[::1]:"+port))
		out, err := stopOutput(t, target+":"+port, stopOptions{Yes: true})
		got := map[[2]bool]string{{false, true}: "first", {true, false}: "second", {false, false}: "both", {true, true}: "none"}[[2]bool{isRunning(first), isRunning(second)}]
		if err != nil || got != want {
			t.Errorf("stop %s:%s: error = %v, stopped %s, want %s\n%s", target, port, err, got, want, out)
		}
		_ = syscall.Kill(first, syscall.SIGKILL)
		_ = syscall.Kill(second, syscall.SIGKILL)
	}
	// A socket on the address itself has priority over one on a wildcard address.
	everywhere, port := startTarget(t, "listen", child.At("0.0.0.0:0"))
	out, err := stopOutput(t, "127.0.0.1:"+port, stopOptions{Yes: true})
	if err != nil || isRunning(everywhere) {
		t.Errorf("a wildcard address that answers at 127.0.0.1: error = %v, running = %t, want nil and false\n%s", err, isRunning(everywhere), out)
	}
	for _, bad := range []string{"127.0.0.1", "example.org:80", "127.0.0.1:0", "localhost"} {
		if _, err := stopOutput(t, bad, stopOptions{Yes: true}); Status(err) != 2 {
			t.Errorf("%q: error = %v, want a UsageError", bad, err)
		}
	}
	if _, err := stopOutput(t, "127.0.0.1:"+fmt.Sprint(freeport.Get(t)), stopOptions{Yes: true}); Status(err) != 1 || !strings.Contains(err.Error(), "is free; there is nothing to stop") {
		t.Errorf("a free address: error = %v", err)
	}
}

// The preview contains everything needed to recognize the process.
func TestStopPreview(t *testing.T) {
	folder := t.TempDir()
	pid, port := startTarget(t, "listen", func(c *exec.Cmd) {
		c.Dir = folder
		c.Args = []string{"server", "--password", "hunter2"}
	})
	out, err := stopOutput(t, port, stopOptions{Stdin: strings.NewReader("n\n")})
	if !errors.Is(err, errStopCanceled) || !isRunning(pid) {
		t.Errorf("error = %v, running = %t", err, isRunning(pid))
	}
	for _, want := range []string{"address: 127.0.0.1:" + port, "command: server --password", "folder: " + folder} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not contain %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "hunter2") {
		t.Errorf("the output contains a password:\n%s", out)
	}
}

// A server that closes its port and answers its last clients has been stopped.
func TestStopOfAServerThatDrains(t *testing.T) {
	pid, port := startTarget(t, "drain")
	start := time.Now()
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if err != nil || !isRunning(pid) || !strings.Contains(out, fmt.Sprintf("(%d) closed the port and is still finishing", pid)) || !strings.Contains(out, port+" is free.") {
		t.Errorf("error = %v, running = %t, want success and a process that is finishing\n%s", err, isRunning(pid), out)
	}
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("took %v, want less than the grace period", took)
	}
	// With --force the process must exit.
	forced, port := startTarget(t, "drain")
	out, err = stopOutput(t, port, stopOptions{Yes: true, Force: true, GracePeriod: 300 * time.Millisecond})
	if err != nil || isRunning(forced) {
		t.Errorf("--force: error = %v, running = %t, want nil and false\n%s", err, isRunning(forced), out)
	}
}

func TestStopOfASuspendedProcess(t *testing.T) {
	pid, port := startTarget(t, "listen")
	child.Suspend(t, pid)
	out, err := stopOutput(t, port, stopOptions{Stdin: strings.NewReader("n\n")})
	if !errors.Is(err, errStopCanceled) || !strings.Contains(out, "is suspended") || !strings.Contains(out, fmt.Sprintf("kill -CONT %d", pid)) {
		t.Errorf("before: error = %v, want the words that it is suspended\n%s", err, out)
	}
	start := time.Now()
	out, err = stopOutput(t, port, stopOptions{Yes: true})
	if err != nil || isRunning(pid) || time.Since(start) > 8*time.Second {
		t.Errorf("error = %v, running = %t after %v, want it to end at once\n%s", err, isRunning(pid), time.Since(start), out)
	}
}

// A loop starts the server again: the preview warns about it, and the result
// names what holds the port.
func TestStopOfAServerThatIsStartedAgain(t *testing.T) {
	port := fmt.Sprint(freeport.Get(t))
	started := child.StartLoop(t, "listen", withoutSettings, child.At("127.0.0.1:"+port))
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if Status(err) != 1 {
		t.Fatalf("error = %v, want one, since the port is in use again\n%s", err, out)
	}
	loop := "loop.sh (" + strconv.Itoa(started.PID) + ")"
	for _, want := range []string{"was started by a loop in " + loop, "starts it again", "kill " + strconv.Itoa(started.PID)} {
		if !strings.Contains(out, want) {
			t.Errorf("before: the output does not contain %q:\n%s", want, out)
		}
	}
	for _, want := range []string{" took " + port + " again, started by a loop in " + loop, "kill " + strconv.Itoa(started.PID)} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("after: the error does not contain %q: %v", want, err)
		}
	}
	if _, err := net.Dial("tcp", "127.0.0.1:"+port); err != nil {
		t.Errorf("nothing listens: %v", err)
	}
	_ = syscall.Kill(started.PID, syscall.SIGKILL)
	if out, err := stopOutput(t, port, stopOptions{Yes: true}); err != nil || !strings.Contains(out, port+" is free.") {
		t.Errorf("without the loop: error = %v, want a free port\n%s", err, out)
	}
}

// If another program takes the port, the error names it and does not say "again".
func TestStopReportsTheNewOwnerOfThePort(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	_ = ln.Close()
	pid, _ := startTarget(t, "listen", child.At("127.0.0.1:"+port))
	taken := make(chan net.Listener, 1)
	go func() { // this process takes it as soon as it is free
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if ln, err := net.Listen("tcp4", "127.0.0.1:"+port); err == nil {
				taken <- ln
				return
			}
		}
		taken <- nil
	}()
	out, err := stopOutput(t, port, stopOptions{Yes: true})
	if ln := <-taken; ln == nil {
		t.Fatal("the port did not become free")
	} else {
		defer ln.Close()
	}
	if Status(err) != 1 || isRunning(pid) || !strings.Contains(err.Error(), fmt.Sprintf("(%d) took %s again", os.Getpid(), port)) {
		t.Errorf("error = %v, want that this process has the port\n%s", err, out)
	}
}

// The commonest reason why a port hangs is a suspended server: who tells it.
func TestWhoWarnsAboutASuspendedProcess(t *testing.T) {
	v := child.ServeVictim(t, "listen", withoutSettings)
	child.Suspend(t, v.PID)
	var out strings.Builder
	if err := runWho(t.Context(), strconv.Itoa(v.Port), Options{Stdout: &out, Stderr: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("! Suspended (SIGSTOP or Ctrl+Z), so it answers no client. To resume it: fg in its terminal, or kill -CONT %d.", v.PID); !strings.Contains(out.String(), want) {
		t.Errorf("got %s, want %q in it", out.String(), want)
	}
}
