package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/monitor"
	"porthole/monitor/process/child"
)

// A server runs in a folder on a mount that never answers. Its owner is found all the
// same; only the project is unknown.
func TestOwnerInAFolderThatHangs(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount")
	}
	if !namespaces.Inside(t, unix.CLONE_NEWNS) {
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
	if o := l.Owners[0]; o.Folder != folder || l.Project != "" || o.ProjectUnknown != monitor.UnknownDisk {
		t.Errorf("folder %q, project %q (%s); want %q, no project, and the reason", o.Folder, l.Project, o.ProjectUnknown, folder)
	}
}

// The folder of a process in another mount namespace may be another folder than this
// program's with the same name. Then it has no project, and is marked.
func TestFolderInAnotherMountNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to create a mount namespace")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, role, project string
		inside              bool
	}{
		{"the same folder", "listen", "shop", false},
		{"another folder of that name", "listen in another root", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := child.Serve(t, test.role, child.With("127.0.0.1:0"), func(c *exec.Cmd) {
				c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
				c.Dir = folder
			})
			l := wantListener(t, c.Port, fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", c.PID))
			if o := l.Owners[0]; l.Project != test.project || o.Inside != test.inside || o.Folder != folder {
				t.Errorf("project %q, inside %t, folder %q; want %q, %t and the folder as the process sees it", l.Project, o.Inside, o.Folder, test.project, test.inside)
			}
		})
	}
}

// playListenInAnotherRoot hides its folder behind an empty one in its mount namespace,
// and listens.
func playListenInAnotherRoot() child.Listening {
	folder, err := os.Getwd()
	if err != nil {
		child.Fail(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		child.Fail(err)
	}
	if err := unix.Mount("inside", folder, "tmpfs", 0, ""); err != nil {
		child.Fail(err)
	}
	if err := os.Chdir(folder); err != nil {
		child.Fail(err)
	}
	return child.Listen()
}
