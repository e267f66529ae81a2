package link

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Place is the folder of the socket and its lock: private to the user.
type Place struct{ dir string }

// FindPlace returns $XDG_RUNTIME_DIR/porthole, or, where that is not set, a
// folder of the user's own: in the temp folder, on Windows in %LocalAppData%.
// The folder is made, is 0700 and belongs to the user; else that is the error.
func FindPlace() (Place, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir != "" {
		dir = filepath.Join(dir, "porthole")
	} else if dir = ownFolder(); dir == "" {
		return Place{}, errors.New("the system names no folder for the link")
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return Place{}, fmt.Errorf("make the folder of the link: %w", err)
	}
	if err := private(dir); err != nil {
		return Place{}, err
	}
	return Place{dir}, nil
}

// String returns the folder.
func (p Place) String() string { return p.dir }

// Lock makes the caller the one agent until it ends or calls unlock. ok is
// false where another process is.
func (p Place) Lock() (unlock func() error, ok bool, err error) {
	l := flock.New(filepath.Join(p.dir, "agent.lock"), flock.SetPermissions(0o600))
	ok, err = l.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	return l.Close, ok, nil
}
