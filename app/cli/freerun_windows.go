package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// runWithPorts runs command, which gets the ports in its environment, until it ends. Its
// exit status is that of the error.
func runWithPorts(ctx context.Context, command []string, ports []uint16) error {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env = portVariables(os.Environ(), ports)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return ExitStatus(exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run the command: %w", err)
	}
	return nil
}
