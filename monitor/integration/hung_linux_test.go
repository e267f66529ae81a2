package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/monitor/process/child"
)

// A server runs in a folder on a mount that never answers. Its owner is found all the
// same; only the project is unknown.
func TestOwnerInAFolderThatHangs(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount")
	}
	if !inside(t, unix.CLONE_NEWNS) {
		return
	}
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("needs FUSE: %v", err)
	}
	defer func() { _ = unix.Close(device) }() // ends what hangs
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(c *exec.Cmd) { c.Dir = folder }
	c := child.Serve(t, "listen", child.With("127.0.0.1:0"), in)
	want := fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID)
	if got := wantListener(t, c.Port, want).Project; got != "shop" {
		t.Errorf("project %q, want shop", got)
	}
	// Nothing reads the requests of this file system, so it never answers.
	if err := unix.Mount("hung", folder, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", device)); err != nil {
		t.Skipf("cannot mount FUSE: %v", err)
	}
	defer func() { _ = unix.Unmount(folder, unix.MNT_DETACH) }()
	l := wantListener(t, c.Port, want)
	if l.Owners[0].Folder != folder || l.Project != "" {
		t.Errorf("folder %q, project %q; want %q and no project", l.Owners[0].Folder, l.Project, folder)
	}
}

// The folder of a process in another mount namespace is another folder than this
// program's with the same name.
func TestFolderInAnotherMountNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to create a mount namespace")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := child.Serve(t, "listen", child.With("127.0.0.1:0"), func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		c.Dir = folder
	})
	l := wantListener(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID))
	if l.Project != "" || l.Owners[0].Folder != folder {
		t.Errorf("project %q, folder %q; want no project of the host, and the folder as the process sees it", l.Project, l.Owners[0].Folder)
	}
}
