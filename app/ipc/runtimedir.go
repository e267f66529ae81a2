package ipc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"porthole/app/paths"
)

// RuntimeDir is the directory of the agent's socket and lock file. Only the user
// can access it.
type RuntimeDir struct{ path string }

// OpenRuntimeDir returns paths.Runtime(). It creates the directory if needed, with
// mode 0700, and returns an error if it belongs to another user.
func OpenRuntimeDir() (RuntimeDir, error) {
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

// Lock makes this process the only agent until it exits or calls unlock. ok is
// false if another process holds the lock.
func (d RuntimeDir) Lock() (unlock func() error, ok bool, err error) {
	l := flock.New(filepath.Join(d.path, "agent.lock"), flock.SetPermissions(0o600))
	ok, err = l.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	return l.Close, ok, nil
}
