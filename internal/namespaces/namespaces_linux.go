// Package namespaces runs one test in namespaces of its own, so that it neither sees nor
// touches the machine's network, mounts and processes. Only tests import it.
package namespaces

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor/process/child"
)

// insideVariable is set to the name of the test that runs itself again in namespaces.
const insideVariable = "PORTHOLE_TEST_INSIDE"

// timeout limits one test in namespaces.
const timeout = 3 * time.Minute

// Inside runs the test again in new namespaces (CLONE_NEW flags of clone(2)), applies the
// result, and returns false. In that run it returns true: the network has only a loopback
// interface, mounts are private, and /proc shows only the processes of a new PID namespace.
// Without root, a user namespace is used too if the kernel allows it.
//
// The test has PID 1 there, unless wrapper is given: a command that runs the program in
// its arguments.
func Inside(t *testing.T, flags uintptr, wrapper ...string) bool {
	t.Helper()
	if os.Getenv(insideVariable) == t.Name() {
		if err := setUp(flags); err != nil {
			t.Skipf("cannot set up the namespaces: %v", err)
		}
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrapper, program, "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Env = append(os.Environ(), insideVariable+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	c.WaitDelay = 5 * time.Second // a grandchild may keep the output open
	child.OwnNamespaces(flags)(c)
	out, err := c.CombinedOutput()
	switch {
	case child.Denied(err):
		t.Skipf("needs root, or a kernel that lets every user create namespaces: %v", err)
	case err != nil:
		t.Fatalf("in its namespaces: %v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP: "+t.Name())):
		t.Skipf("in its namespaces:\n%s", out)
	case !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Fatalf("the test did not run in its namespaces:\n%s", out)
	}
	t.Logf("in its namespaces:\n%s", out)
	return false
}

func setUp(flags uintptr) error {
	if flags&unix.CLONE_NEWNS != 0 {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("make the mounts private: %w", err)
		}
	}
	if flags&unix.CLONE_NEWPID != 0 {
		if err := MountProc(""); err != nil {
			return err
		}
	}
	if flags&unix.CLONE_NEWNET != 0 {
		return loopbackUp()
	}
	return nil
}

// MountProc mounts the processes of this PID namespace on /proc, with options of proc(5).
func MountProc(options string) error {
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount /proc (%s): %w", options, err)
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("bring the loopback up: %w", err)
	}
	return nil
}
