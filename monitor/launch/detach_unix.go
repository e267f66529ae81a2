//go:build unix

package launch

import (
	"os/exec"
	"syscall"
)

// detach gives c a session of its own (setsid(2)).
func detach(c *exec.Cmd) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = new(syscall.SysProcAttr)
	}
	c.SysProcAttr.Setsid = true
}
