package process

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() { roles["main thread ends"] = playMainThreadEnds }

// playMainThreadEnds exits its main thread; the others keep running.
func playMainThreadEnds() {
	go func() {
		main := fmt.Sprintf("/proc/self/task/%d/stat", os.Getpid())
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if stat, err := os.ReadFile(main); err == nil && strings.Contains(string(stat), ") Z ") {
				break
			}
		}
		waitForEnd()
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // only this thread
}

func TestInfoWithoutMainThread(t *testing.T) {
	pid, end := startRole(t, "main thread ends", executable(t), "--port", "62893")
	if link, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
		t.Errorf("/proc/%d/exe leads to %s; want no link, or this test is void", pid, link)
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	o, err := Info(pid)
	if want := []string{executable(t), "--port", "62893"}; err != nil || !slices.Equal(o.Command, want) {
		t.Errorf("Command = %q, %v; want %q", o.Command, err, want)
	}
	if o.PID != pid || o.ParentPID != os.Getpid() || o.Program != executable(t) || o.Folder != folder || o.User == "" {
		t.Errorf("Info = %+v; want PID %d of parent %d, program %s, folder %s, a user", o, pid, os.Getpid(), executable(t), folder)
	}
	child := o
	child.ParentPID = pid
	if p := Parents(child); len(p) == 0 || !slices.Equal(p[0].Command, o.Command) {
		t.Errorf("as a parent: got %+v, want command %q", p, o.Command)
	}
	end()
	if o, err := Info(pid); err == nil {
		t.Errorf("Info = %+v after its exit, want an error", o)
	}
}
