package process

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"porthole/monitor/process/child"
)

func TestInfoWithoutMainThread(t *testing.T) {
	c := child.Serve(t, "main thread ends", child.With("--port", "62893"), func(c *exec.Cmd) { c.Path, c.Args[0] = executable(t), executable(t) })
	pid := c.PID
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
	its := o
	its.ParentPID = pid
	if p := Parents(its); len(p) == 0 || !slices.Equal(p[0].Command, o.Command) {
		t.Errorf("as a parent: got %+v, want command %q", p, o.Command)
	}
	c.End()
	if o, err := Info(pid); err == nil {
		t.Errorf("Info = %+v after its exit, want an error", o)
	}
}
