package paths

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/adrg/xdg"
)

func TestFoldersFollowTheEnvironment(t *testing.T) {
	config, state := xdg.ConfigHome, xdg.StateHome
	t.Cleanup(func() { xdg.ConfigHome, xdg.StateHome = config, state })
	root := t.TempDir()
	xdg.ConfigHome, xdg.StateHome = filepath.Join(root, "config"), filepath.Join(root, "state")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(root, "run"))
	for _, c := range []struct{ name, got, want string }{
		{"Config", Config(), filepath.Join(root, "config", "porthole")},
		{"State", State(), filepath.Join(root, "state", "porthole")},
		{"History", History(), filepath.Join(root, "state", "porthole", "history.db")},
		{"Log", Log(), filepath.Join(root, "state", "porthole", "porthole.log")},
		{"Runtime", Runtime(), filepath.Join(root, "run", "porthole")},
	} {
		if c.got != c.want {
			t.Errorf("%s() = %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestRuntimeFallsBackToTheTemporaryFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows uses %LocalAppData%")
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	if got := Runtime(); !strings.HasPrefix(got, filepath.Join(os.TempDir(), "porthole-")) {
		t.Errorf("Runtime() = %q, want a folder of this user in %s", got, os.TempDir())
	}
}

// Desktops find the application of a window or a notification by its desktop
// file, and "fyne package" reads only FyneApp.toml.
func TestPackagingUsesTheAppID(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, extension := range []string{".desktop", ".metainfo.xml"} {
		if _, err := os.Stat(filepath.Join(root, "packaging", AppID+extension)); err != nil {
			t.Errorf("no packaging file for %s: %v", AppID, err)
		}
	}
	entry, err := os.ReadFile(filepath.Join(root, "packaging", AppID+".desktop"))
	for _, want := range []string{"Icon=" + AppID, "StartupWMClass=" + AppID} { // of notifications and windows, of X11 windows
		if err != nil || !strings.Contains(string(entry), "\n"+want+"\n") {
			t.Errorf("desktop entry = %q, %v, want %s in it", entry, err, want)
		}
	}
	b, err := os.ReadFile(filepath.Join(root, "FyneApp.toml"))
	if want := `ID = "` + AppID + `"`; err != nil || !strings.Contains(string(b), "\n"+want+"\n") {
		t.Errorf("FyneApp.toml = %q, %v, want %s in it", b, err, want)
	}
}

func TestCheckWritable(t *testing.T) {
	dir := t.TempDir()
	if err := CheckWritable(dir, []byte("x")); err != nil {
		t.Errorf("CheckWritable(%s) = %v, want nil", dir, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the folder contains %v, %v, want nothing", entries, err)
	}
	if err := CheckWritable(filepath.Join(dir, "missing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CheckWritable() of a missing folder = %v, want fs.ErrNotExist", err)
	}
}
