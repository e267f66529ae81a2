package process

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The main goroutine of a child stays on the main thread.
func init() {
	roles["main thread ends"] = playMainThreadEnds
	if os.Getenv(childVariable) != "" {
		runtime.LockOSThread()
	}
}

// playMainThreadEnds goes on without its main thread.
func playMainThreadEnds() {
	go func() {
		main := fmt.Sprintf("/proc/self/task/%d/stat", os.Getpid())
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if stat, err := os.ReadFile(main); err == nil && strings.Contains(string(stat), ") Z ") {
				break
			}
		}
		waitForTheEnd()
		os.Exit(0)
	}()
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // this thread alone
}

func TestFactsWithoutTheMainThread(t *testing.T) {
	pid, end := startRole(t, "main thread ends", executable(t), "--port", "62893")
	if link, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
		t.Errorf("/proc/%d/exe leads to %s; want it gone, or the test is about nothing", pid, link)
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
		t.Errorf("Facts = %+v; want pid %d of parent %d, program %s, folder %s, a user", o, pid, os.Getpid(), executable(t), folder)
	}
	child := o
	child.ParentPID = pid
	if p := Parents(child); len(p) == 0 || !slices.Equal(p[0].Command, o.Command) {
		t.Errorf("as a parent: %+v, want its command %q", p, o.Command)
	}
	end()
	if o, err := Info(pid); err == nil {
		t.Errorf("Facts = %+v after it ended, want an error", o)
	}
}
