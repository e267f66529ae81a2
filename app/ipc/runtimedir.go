package ipc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// RuntimeDir is the folder of the socket and its lock: private to the user.
type RuntimeDir struct{ path string }

// OpenRuntimeDir returns $XDG_RUNTIME_DIR/porthole, or, where that is not set, a
// folder of the user's own: in the temp folder, on Windows in %LocalAppData%.
// The folder is made, is 0700 and belongs to the user; else that is the error.
func OpenRuntimeDir() (RuntimeDir, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir != "" {
		dir = filepath.Join(dir, "porthole")
	} else if dir = fallbackDir(); dir == "" {
		return RuntimeDir{}, errors.New("the system names no folder for the link")
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return RuntimeDir{}, fmt.Errorf("make the folder of the link: %w", err)
	}
	if err := ensurePrivate(dir); err != nil {
		return RuntimeDir{}, err
	}
	return RuntimeDir{dir}, nil
}

// String returns the folder.
func (p RuntimeDir) String() string { return p.path }

// Lock makes the caller the one agent until it ends or calls unlock. ok is
// false where another process is.
func (p RuntimeDir) Lock() (unlock func() error, ok bool, err error) {
	l := flock.New(filepath.Join(p.path, "agent.lock"), flock.SetPermissions(0o600))
	ok, err = l.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	return l.Close, ok, nil
}
