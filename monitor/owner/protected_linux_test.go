package owner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	path := filepath.Join(dir, "server")
	child.CopyTo(t, path)
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
			listening := child.Serve(t, "listen", child.Running(path), child.AsNobody)
			if got := searchAsNobody(t, listening.Inode); got.Unknown != monitor.UnknownProtected || got.Inferred != 0 {
				t.Errorf("its own user: got %+v, want reason %q", got, monitor.UnknownProtected)
			}
			var root searched
			child.Begin(t, "searcher", &root, child.With(fmt.Sprint(listening.Inode)))
			if root.Holders != 1 {
				t.Errorf("root: got %d holders, want 1", root.Holders)
			}
		})
	}
}

// A service with AmbientCapabilities= (systemd.exec(5)) may open port 80. Its user may list
// its descriptors, but not follow them.
func TestServiceWithAmbientCapabilities(t *testing.T) {
	path := protectedProgram(t, func(string) error { return nil })
	ambient := func(c *exec.Cmd) { c.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_BIND_SERVICE} }
	listening := child.Serve(t, "listen", child.Running(path), child.AsNobody, ambient)
	if got := searchAsNobody(t, listening.Inode); got.Unknown != monitor.UnknownProtected {
		t.Errorf("its own user: got %+v, want reason %q", got, monitor.UnknownProtected)
	}
}
