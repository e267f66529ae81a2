package owner

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

// protectedProgram copies the test program and changes the copy, so that its own
// user may not inspect its processes.
func protectedProgram(t *testing.T, change func(path string) error) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to change the program file")
	}
	dir, err := os.MkdirTemp("/var/tmp", "porthole-test") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(dir, "server")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if err := change(path); err != nil {
		t.Skipf("the file system does not support it: %v", err)
	}
	return path
}

// A program that may open port 80 without root is protected from its own user. That
// is the reason, and root sees it.
func TestProtectedProcessOfOneself(t *testing.T) {
	// struct vfs_cap_data of linux/capability.h: revision 2, effective,
	// CAP_NET_BIND_SERVICE (bit 10) permitted.
	capability := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	for name, change := range map[string]func(string) error{
		"file capability": func(path string) error { return unix.Setxattr(path, "security.capability", capability, 0) },
		"mode 711":        func(path string) error { return os.Chmod(path, 0o711) },
		"setgid":          func(path string) error { return unix.Chmod(path, 0o2755) },
	} {
		t.Run(name, func(t *testing.T) {
			path := protectedProgram(t, change)
			c := exec.Command(path)
			child.SetRole(c, "listen")
			c.Dir, c.Stderr = "/", os.Stderr
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			var listening report
			if err := child.Start(t, c).ReadReport(&listening); err != nil {
				t.Fatal(err)
			}
			if got := searchAsNobody(t, listening.Inode); got.Unknown != monitor.UnknownProtected || got.Inferred != 0 {
				t.Errorf("its own user: got %+v, want reason %q", got, monitor.UnknownProtected)
			}
			root := begin(t, "searcher", func(c *exec.Cmd) { c.Args = append(c.Args, fmt.Sprint(listening.Inode)) })
			if root.Holders != 1 {
				t.Errorf("root: got %d holders, want 1", root.Holders)
			}
		})
	}
}
