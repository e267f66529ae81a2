package settings

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// debounce is how long the file must be unchanged before it is read: editors
// write in several steps.
const debounce = 200 * time.Millisecond

// Watch calls changed after the file was changed, created or removed, until ctx
// ends. It returns an error if changes cannot be observed.
func (f *File) Watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the settings: %w", err)
	}
	defer w.Close()
	// Watch the folder, since editors replace the file, and the folder of a link's target.
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("create the folder of the settings: %w", err)
	}
	names := map[string]bool{f.path: true}
	if real, err := filepath.EvalSymlinks(f.path); err == nil {
		names[real] = true
	}
	for name := range names {
		if err := w.Add(filepath.Dir(name)); err != nil {
			return fmt.Errorf("watch %s: %w", filepath.Dir(name), err)
		}
	}
	timer := time.NewTimer(debounce)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.Events:
			if names[e.Name] && e.Op != fsnotify.Chmod {
				timer.Reset(debounce)
			}
		case err := <-w.Errors:
			return fmt.Errorf("watch the settings: %w", err)
		case <-timer.C:
			changed()
		}
	}
}
