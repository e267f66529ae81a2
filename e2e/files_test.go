package e2e

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// ownFiles are the paths of Porthole's files in the user's home. A rotated log has its
// time in its name.
var ownFiles = regexp.MustCompile(`^(\.config/porthole/settings\.yaml|\.local/state/porthole/(` +
	regexp.QuoteMeta(historyFile) + `|` + regexp.QuoteMeta(windowFile) + `|agent\.lock|porthole(-[0-9T.-]+)?\.log))$`)

// toolkitFiles are the files of the toolkit and its libraries: caches, and Fyne's
// preferences.
var toolkitFiles = regexp.MustCompile(`^(\.cache/|\.config/fyne/io\.github\.porthole\.porthole/preferences\.json$)`)

// Porthole's files are where XDG wants them, only their user can read them, and the log
// has a limited size.
func TestFilesAndTheirModes(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	full := strings.Repeat(strings.Repeat("x", 1023)+"\n", 1024)
	d.write(d.logPath(), full)
	for _, day := range []string{"01", "02", "03"} {
		d.write(d.statePath("porthole-2020-01-"+day+"T00-00-00.000.log"), full)
	}
	before := d.files()
	agent := d.start()
	item := d.item(agent)
	window := d.mainWindow()
	d.steady(window)
	d.do("ask for a free port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, menuFree("5432"))
	d.listen("127.0.0.1:5432")
	d.note(noteOpen("5432"))
	d.quit(agent)

	after, logs := d.files(), 0
	for path, mode := range after {
		switch {
		case ownFiles.MatchString(path):
			if mode != 0o600 || after[filepath.Dir(path)] != fs.ModeDir|0o700 {
				t.Errorf("%s has the mode %v in a folder of %v; want 0600 and 0700", path, mode, after[filepath.Dir(path)])
			}
			if strings.HasSuffix(path, ".log") {
				logs++
			}
		case before[path] == 0 && !mode.IsDir() && !toolkitFiles.MatchString(path):
			t.Errorf("got the file %s; want no such file", path)
		}
	}
	for _, path := range []string{".config/porthole/settings.yaml", ".local/state/porthole/" + historyFile, ".local/state/porthole/" + windowFile} {
		if after[path] == 0 {
			t.Errorf("%s is missing", path)
		}
	}
	if logs != 3 { // a new one, the one that was full, and the newest of the others
		t.Errorf("got %d logs; want 3", logs)
	}
}

// files returns all files in the user's home with their modes.
func (d *desk) files() map[string]fs.FileMode {
	d.t.Helper()
	found := map[string]fs.FileMode{}
	home := filepath.Join(d.Dir(), "home")
	d.do("list all files", filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		path, err = filepath.Rel(home, path)
		found[path] = info.Mode()
		return err
	}))
	return found
}
