package ipc

import (
	"errors"
	"fmt"
	"os"

	"porthole/app/paths"
)

// RuntimeDir is the directory of the agent's socket. Only the user can access it.
type RuntimeDir struct{ path string }

// OpenRuntimeDir returns the directory of the running agent, which may have been
// started with another environment, or else paths.Runtime(). It creates the
// latter if needed, with mode 0700, and returns an error if it belongs to another
// user.
func OpenRuntimeDir() (RuntimeDir, error) {
	if agent, running := runningAgent(); running && agent.RuntimeDir != "" && ensurePrivate(agent.RuntimeDir) == nil {
		return RuntimeDir{agent.RuntimeDir}, nil
	}
	dir := paths.Runtime()
	if dir == "" {
		return RuntimeDir{}, errors.New("find the runtime directory: the system defines none")
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return RuntimeDir{}, fmt.Errorf("create the runtime directory: %w", err)
	}
	if err := ensurePrivate(dir); err != nil {
		return RuntimeDir{}, err
	}
	return RuntimeDir{dir}, nil
}

// String returns the path.
func (d RuntimeDir) String() string { return d.path }
