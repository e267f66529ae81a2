//go:build unix

package app

import (
	"fmt"
	"log/slog"
	"syscall"

	"porthole/app/agent"
)

// reexec replaces this process with the successor's program. PID and parent
// stay the same; the caller has released the instance lock. It returns only on
// failure.
func reexec(s agent.Successor, log *slog.Logger) error {
	args := append([]string{"porthole"}, s.Args()...)
	log.Info("starting the new build", "program", s.Program)
	err := syscall.Exec(s.Program, args, s.Session.Environ())
	// Fall back to the old build: monitoring must go on.
	log.Error("the new build cannot be started; restarting the old one", "program", s.Program, "error", err)
	if err := syscall.Exec("/proc/self/exe", args, s.Session.Environ()); err != nil {
		return fmt.Errorf("restart Porthole: %w", err)
	}
	return nil
}
