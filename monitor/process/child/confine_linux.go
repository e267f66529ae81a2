package child

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// AsNobody runs a child as the user nobody. Only root may start it.
func AsNobody(c *exec.Cmd) {
	c.Dir = "/"
	attributes(c).Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
}

// OwnNamespaces starts a child in new namespaces (CLONE_NEW flags of clone(2)), and in a
// user namespace too if this process is not root.
func OwnNamespaces(flags uintptr) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		a := attributes(c)
		a.Cloneflags |= flags
		if os.Getuid() != 0 {
			a.Cloneflags |= unix.CLONE_NEWUSER
			a.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
			a.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
		}
	}
}

func attributes(c *exec.Cmd) *syscall.SysProcAttr {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	return c.SysProcAttr
}

// Denied reports whether err means that the system does not allow a namespace.
func Denied(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC)
}
