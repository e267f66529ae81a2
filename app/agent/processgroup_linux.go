package agent

import (
	"os/exec"
	"syscall"
)

// setProcessGroup puts the window into a process group of its own, so that Ctrl+C
// in the agent's terminal reaches it through the agent alone. It is not killed
// with the agent: a window whose agent has died says so.
func setProcessGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
