package agent

import (
	"os"
	"os/exec"
	"syscall"
)

// setProcessGroup puts the window process into its own process group, so that
// Ctrl+C in the agent's terminal ends it through the agent only. The window is not
// killed when the agent dies, because it reports that to the user.
func setProcessGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ownProcessGroup puts a command into its own process group, for
// killProcessGroup.
func ownProcessGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killProcessGroup kills p and the processes that it has started.
func killProcessGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
