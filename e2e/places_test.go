package e2e

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// kept are the files that Porthole keeps, by their paths in the user's home. A
// rotated log has its time in its name.
var kept = regexp.MustCompile(`^(\.config/porthole/settings\.yaml|\.local/state/porthole/(activity\.db|window\.json|porthole(-[0-9T.-]+)?\.log))$`)

// others are what the toolkit and its libraries keep of a window: caches, and
// Fyne's own preferences.
var others = regexp.MustCompile(`^(\.cache/|\.config/fyne/io\.github\.porthole\.porthole/preferences\.json$)`)

// What Porthole keeps is where XDG says, and its user's alone. Its log does not
// grow for ever.
func TestWhatIsKeptIsInItsPlaces(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	full := strings.Repeat(strings.Repeat("x", 1023)+"\n", 1024)
	state := filepath.Dir(d.logPath())
	d.write(d.logPath(), full)
	for _, day := range []string{"01", "02", "03"} {
		d.write(filepath.Join(state, "porthole-2020-01-"+day+"T00-00-00.000.log"), full)
	}
	before := d.files()
	agent := d.start()
	item := d.item(agent)
	window := d.window("Porthole")
	d.steady(window)
	d.do("ask for a free port", window.Type("5432"))
	d.clickWatch(window)
	d.menuHas(item, "○ 5432 free")
	d.listen("127.0.0.1:5432")
	d.note("5432 is open")
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)

	after, logs := d.files(), 0
	for path, mode := range after {
		switch {
		case kept.MatchString(path):
			if mode != 0o600 || after[filepath.Dir(path)] != fs.ModeDir|0o700 {
				t.Errorf("%s has the mode %v in a folder of %v; want 0600 and 0700", path, mode, after[filepath.Dir(path)])
			}
			if strings.HasSuffix(path, ".log") {
				logs++
			}
		case before[path] == 0 && !mode.IsDir() && !others.MatchString(path):
			t.Errorf("%s is in a place of its own", path)
		}
	}
	for _, path := range []string{".config/porthole/settings.yaml", ".local/state/porthole/history.db", ".local/state/porthole/window.json"} {
		if after[path] == 0 {
			t.Errorf("%s is missing", path)
		}
	}
	if logs != 3 { // a new one, the one that was full, and of the others the newest
		t.Errorf("%d logs are kept; want 3", logs)
	}
}

// files are all files in the user's home, with their modes.
func (d *desk) files() map[string]fs.FileMode {
	d.t.Helper()
	found := map[string]fs.FileMode{}
	home := filepath.Join(d.Dir(), "home")
	d.do("look at all files", filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
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
