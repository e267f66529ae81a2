package settings

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// debounce is how long the file must be unchanged before it is read: editors
// write in several steps.
const debounce = 200 * time.Millisecond

// rewatchInterval is the time between attempts to watch folders after a failure.
const rewatchInterval = 10 * time.Second

// maxLinks limits the symbolic links in a path, like Linux does.
const maxLinks = 40

// Watch calls changed after the file was changed, created or removed, until ctx
// ends. It follows symbolic links, also those that are made or changed later. If
// events are lost, it calls changed as well. It returns an error if changes
// cannot be observed from the beginning.
func (f *File) Watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the settings: %w", err)
	}
	defer w.Close()
	return f.watch(ctx, w, changed)
}

// watch is Watch with a given watcher.
func (f *File) watch(ctx context.Context, w *fsnotify.Watcher, changed func()) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("create the folder of the settings: %w", err)
	}
	names, err := rewatch(w, f.path)
	if err != nil {
		return err
	}
	timer := time.NewTimer(debounce)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-w.Events:
			if !open {
				return nil
			}
			if names[e.Name] && e.Op != fsnotify.Chmod {
				timer.Reset(debounce)
			}
		case _, open := <-w.Errors:
			if !open {
				return nil
			}
			timer.Reset(debounce) // such as ErrEventOverflow: events were lost, so read the file
		case <-timer.C:
			// Links may lead elsewhere now. Watch first, so that no change after reading is missed.
			if found, err := rewatch(w, f.path); err == nil {
				names = found
			} else {
				timer.Reset(rewatchInterval)
			}
			changed()
		}
	}
}

// rewatch makes w watch the folders on which the content at path depends. It
// returns the names in events that matter.
func rewatch(w *fsnotify.Watcher, path string) (map[string]bool, error) {
	names := pathsOf(path)
	// A folder that was replaced has the same name but another watch.
	for _, dir := range w.WatchList() {
		_ = w.Remove(dir) // it may have been removed along with its folder
	}
	var failed error
	for name := range names {
		if err := w.Add(filepath.Dir(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = fmt.Errorf("watch %s: %w", filepath.Dir(name), err)
		}
	}
	return names, failed
}

// pathsOf returns the paths whose creation, removal or change can change the file
// at path: the file, its folder, and each symbolic link on the way. Editors replace
// files, and tools such as GNU Stow replace folders by links.
func pathsOf(path string) map[string]bool {
	names := map[string]bool{path: true}
	root := filepath.VolumeName(path) + string(filepath.Separator)
	split := func(p string) []string {
		return strings.FieldsFunc(p[len(filepath.VolumeName(p)):], func(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) })
	}
	real, rest, links := root, split(path), 0
	for len(rest) > 0 {
		name := filepath.Join(real, rest[0]) // ".." leads to the parent of a folder that is not a link
		rest = rest[1:]
		info, err := os.Lstat(name)
		if err != nil {
			names[name] = true
			break
		}
		if info.Mode()&os.ModeSymlink != 0 {
			names[name] = true
			to, err := os.Readlink(name)
			if links++; err != nil || links > maxLinks {
				break
			}
			if filepath.IsAbs(to) {
				real = root
			}
			rest = append(split(to), rest...)
			continue
		}
		if len(rest) < 2 {
			names[name] = true
		}
		real = name
	}
	return names
}
