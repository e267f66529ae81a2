package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// A test program with this variable is a child of a test: it takes the name
// that the second one holds, says that it is ready and waits for the end of
// its input.
const (
	childVariable = "PORTHOLE_TEST_CHILD"
	nameVariable  = "PORTHOLE_TEST_NAME"
)

// roles are what a child can be instead, by the value of childVariable. None
// of them returns.
var roles = make(map[string]func())

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if name := os.Getenv(nameVariable); name != "" {
		if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	if play := roles[os.Getenv(childVariable)]; play != nil {
		play()
	}
	waitForTheEnd()
}

func waitForTheEnd() {
	_, _ = os.Stdout.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startChild runs program, a copy of the test program, until end is called or
// the test ends.
func startChild(t *testing.T, program string, args ...string) (pid int, end func()) {
	t.Helper()
	return startRole(t, "1", program, args...)
}

func startRole(t *testing.T, role, program string, args ...string) (pid int, end func()) {
	t.Helper()
	c := exec.Command(program, args...)
	// The race detector would sleep for a second at the end of each child.
	c.Env = append(os.Environ(), childVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		_ = in.Close()
		stuck := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			t.Errorf("child %d: %v", c.Process.Pid, err)
		}
	}
	t.Cleanup(end)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("child %d said %q, %v", c.Process.Pid, line, err)
	}
	return c.Process.Pid, end
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
