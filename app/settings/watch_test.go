package settings

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watchedFile is a settings file that is being watched.
type watchedFile struct {
	t       *testing.T
	changed chan struct{}
	watcher *fsnotify.Watcher
}

func watchFile(t *testing.T, path string) *watchedFile {
	t.Helper()
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	w := &watchedFile{t, make(chan struct{}, 64), watcher}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Open(path).watch(ctx, watcher, func() { w.changed <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watch() = %v, want nil", err)
		}
		_ = watcher.Close()
	})
	for end := time.Now().Add(10 * time.Second); len(watcher.WatchList()) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // until all folders are watched
	return w
}

// wantChange fails unless do is reported.
func (w *watchedFile) wantChange(what string, do func() error) {
	w.t.Helper()
	for len(w.changed) > 0 {
		<-w.changed
	}
	if err := do(); err != nil {
		w.t.Fatal(err)
	}
	select {
	case <-w.changed:
	case <-time.After(5 * time.Second):
		w.t.Errorf("%s was not reported", what)
	}
}

func write(path, text string) func() error {
	return func() error { return os.WriteFile(path, []byte(text), 0o600) }
}

func TestWatchSurvivesErrors(t *testing.T) {
	_, path := newFile(t, "udp: no\n")
	w := watchFile(t, path)
	w.wantChange("a lost event", func() error { w.watcher.Errors <- fsnotify.ErrEventOverflow; return nil })
	w.wantChange("an edit after an error", write(path, "udp: yes\n"))
}

func TestWatchFollowsChangedLinks(t *testing.T) {
	_, path := newFile(t, "udp: no\n")
	dotfiles := t.TempDir()
	first, second := filepath.Join(dotfiles, "first.yaml"), filepath.Join(dotfiles, "second", "settings.yaml")
	for _, err := range []error{write(first, "udp: no\n")(), os.Mkdir(filepath.Dir(second), 0o700), write(second, "udp: no\n")()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	link := func(to string) func() error {
		return func() error {
			if err := os.Symlink(to, path+"~"); err != nil {
				return err
			}
			return os.Rename(path+"~", path)
		}
	}
	w := watchFile(t, path)
	w.wantChange("a link in the place of the file", link(first))
	w.wantChange("an edit of its target", write(first, "udp: yes\n"))
	w.wantChange("another target", link(second))
	w.wantChange("an edit of the other target", write(second, "udp: yes\n"))
	w.wantChange("a removed target", func() error { return os.Remove(second) })
	w.wantChange("a target that is there again", write(second, "udp: no\n"))
}

// "stow" replaces the folder by a link to the dotfiles.
func TestWatchFollowsAReplacedFolder(t *testing.T) {
	_, path := newFile(t, "udp: no\n")
	folder, dotfiles := filepath.Dir(path), filepath.Join(t.TempDir(), "porthole")
	if err := os.Mkdir(dotfiles, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := write(filepath.Join(dotfiles, "settings.yaml"), "udp: no\n")(); err != nil {
		t.Fatal(err)
	}
	w := watchFile(t, path)
	w.wantChange("a link in the place of the folder", func() error {
		if err := os.Rename(folder, folder+".old"); err != nil {
			return err
		}
		return os.Symlink(dotfiles, folder)
	})
	w.wantChange("an edit of the file in the link's target", write(filepath.Join(dotfiles, "settings.yaml"), "udp: yes\n"))
	w.wantChange("a new folder", func() error {
		if err := os.Remove(folder); err != nil {
			return err
		}
		return os.Mkdir(folder, 0o700)
	})
	w.wantChange("a file in the new folder", write(path, "udp: yes\n"))
	w.wantChange("a folder of the same name", func() error {
		if err := os.Rename(folder, folder+".new"); err != nil {
			return err
		}
		return os.Mkdir(folder, 0o700)
	})
	w.wantChange("a file in the folder of the same name", write(path, "udp: no\n"))
}
