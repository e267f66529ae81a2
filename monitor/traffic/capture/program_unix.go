//go:build unix

package capture

import (
	"os/exec"
	"syscall"
)

// detach gives c a process group of its own: Ctrl+C is for Porthole, which then ends c.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
