package link

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gofrs/flock"
)

// Place is the folder of the socket and its lock: private to the user.
type Place struct{ dir string }

// FindPlace returns $XDG_RUNTIME_DIR/porthole, or, where that is not set, a
// folder of the user's own in the temp folder. The folder is made, is 0700 and
// belongs to the user; else that is the error.
func FindPlace() (Place, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir != "" {
		dir = filepath.Join(dir, "porthole")
	} else {
		dir = filepath.Join(os.TempDir(), "porthole-"+strconv.Itoa(os.Getuid()))
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

func (p Place) socket() string { return filepath.Join(p.dir, "agent.sock") }

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
