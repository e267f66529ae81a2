package settings

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// debounce is how long a file must rest before it is read: editors write in
// several steps.
const debounce = 200 * time.Millisecond

// Watch calls changed when the file was edited, made or removed, until ctx
// ends. An error means that edits cannot be noticed here.
func (f *File) Watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the settings: %w", err)
	}
	defer w.Close()
	// The folder, since editors replace files; and where a link leads to.
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the settings: %w", err)
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
	rest := time.NewTimer(debounce)
	rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.Events:
			if names[e.Name] && e.Op != fsnotify.Chmod {
				rest.Reset(debounce)
			}
		case err := <-w.Errors:
			return fmt.Errorf("watch the settings: %w", err)
		case <-rest.C:
			changed()
		}
	}
}
