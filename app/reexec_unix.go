//go:build unix

package app

import (
	"fmt"
	"log/slog"
	"syscall"

	"porthole/app/agent"
)

// reexec turns this process into the program that takes over: the pid and the
// parent stay, the lock was given back. It returns only where that fails.
func reexec(s agent.Successor, log *slog.Logger) error {
	args := append([]string{"porthole"}, s.Args()...)
	log.Info("becoming the new build", "program", s.Program)
	err := syscall.Exec(s.Program, args, s.Session.Environ())
	// Only a failure returns: better the old build than nobody who watches.
	log.Error("the new build cannot be started; going on as the old one", "program", s.Program, "problem", err)
	if err := syscall.Exec("/proc/self/exe", args, s.Session.Environ()); err != nil {
		return fmt.Errorf("start Porthole again: %w", err)
	}
	return nil
}
