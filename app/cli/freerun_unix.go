//go:build unix

package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// runWithPorts replaces this process with command, which gets the ports in its
// environment. It returns only on failure.
func runWithPorts(_ context.Context, command []string, ports []uint16) error {
	program, err := exec.LookPath(command[0])
	if err != nil {
		return fmt.Errorf("run the command: %w", err)
	}
	if err := syscall.Exec(program, command, portVariables(os.Environ(), ports)); err != nil {
		return fmt.Errorf("run %s: %w", program, err)
	}
	return nil
}
