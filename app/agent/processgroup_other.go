//go:build !linux

package agent

import (
	"os"
	"os/exec"
	"syscall"
)

func setProcessGroup(*exec.Cmd) {}

func ownProcessGroup() *syscall.SysProcAttr { return nil }

// killProcessGroup kills p only.
func killProcessGroup(p *os.Process) error { return p.Kill() }
