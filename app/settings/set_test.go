package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSetChangesOneLine(t *testing.T) {
	const text = "# my dotfiles\nudp: no   # quiet\n\n\nfuture: {a: 1}\nsound: true\nwatches:\n    - ports: 80   # web\n\n# at the end\n"
	for _, c := range []struct{ name, text, key, value, want string }{
		{"existing key", text, "udp", "true", strings.Replace(text, "no ", "true ", 1)},
		{"new key", "udp: no\n\nwatches: []", "theme", "dark", "udp: no\n\nwatches: []\ntheme: dark\n"},
		{"quoted value", "polling_interval: \"1s\" # slow\n", "polling_interval", "500ms", "polling_interval: 500ms # slow\n"},
		{"remove a key", "a: 1\nhistory_events: 5000\nb: 2\n", "history_events", "", "a: 1\nb: 2\n"},
		{"remove a missing key", "a: 1\n\nb: 2\n", "history_events", "", "a: 1\n\nb: 2\n"},
		{"CRLF", "udp: no\r\nb: 2\r\n", "udp", "true", "udp: true\r\nb: 2\r\n"},
		{"flow mapping", "{udp: false, b: 2}\n", "udp", "true", "{udp: true, b: 2}\n"},
		{"value on the next line", "udp:\n  false\nb: 2\n", "udp", "", "b: 2\n"},
		{"document end marker", "udp: false\n...\n", "theme", "dark", "udp: false\ntheme: dark\n...\n"},
		{"new file", "", "notifications", "false", "# " + fileHeader + "\n\nnotifications: false\n"},
		{"only comments", "# only this\n", "theme", "dark", "# only this\n\ntheme: dark\n"},
	} {
		f, path := newFile(t, c.text)
		if _, err := f.Set(c.key, c.value); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := read(t, path); got != c.want {
			t.Errorf("%s: got file\n%swant\n%s", c.name, got, c.want)
		}
	}
}

func TestSetIsReadBack(t *testing.T) {
	f, path := newFile(t, "")
	for _, c := range [][2]string{{"theme", "light"}, {"tray_icon", "dark"}, {"language", "en"}, {"start_hidden", "true"}, {"grace_period", "10s"}, {"notifications", "false"}, {"sound", "true"},
		{"polling_interval", "2s"}, {"udp", "true"}, {"all_addresses", "true"}, {"zoom", "120"}, {"history_days", "7"}, {"history_events", "100000"}, {"traffic_body", "4"}, {"traffic_memory", "32"}} {
		if _, err := f.Set(c[0], c[1]); err != nil {
			t.Errorf("Set(%s, %s): %v", c[0], c[1], err)
		}
	}
	s, err := Open(path).Load()
	if err != nil || s.Theme != "light" || s.TrayIcon != "dark" || s.Language != "en" || !s.StartHidden || s.GracePeriod != 10*time.Second || s.Notifications || !s.Sound || s.PollingInterval != 2*time.Second ||
		!s.UDP || !s.AllAddresses || s.Zoom != 120 || s.HistoryDays != 7 || s.HistoryEvents != 100000 || s.TrafficBody != 4 || s.TrafficMemory != 32 || !s.Watches.WatchesPort(62893) {
		t.Errorf("Load() = %+v, %v, want the values that were set; file:\n%s", s, err, read(t, path))
	}
	for _, c := range [][2]string{{"theme", "system"}, {"tray_icon", "automatic"}, {"language", "system"}} {
		if s, err = f.Set(c[0], c[1]); err != nil {
			t.Error(err)
		}
	}
	if s.Theme != "" || s.TrayIcon != "" || s.Language != "" {
		t.Errorf("got theme %q, tray icon %q, language %q, want none", s.Theme, s.TrayIcon, s.Language)
	}
	if d := Defaults(); !d.Notifications || d.StartHidden || d.AllAddresses {
		t.Errorf("Defaults() = %+v, want notifications, the window at start, and loopback only", d)
	}
}

func TestSetRefusesInvalidValues(t *testing.T) {
	for _, c := range []struct{ text, key, value, want string }{
		{"version: 9\nudp: no\n", "udp", "true", "newer Porthole"},
		{"udp: perhaps\n", "sound", "true", "line 1: udp must be true or false"},
		{"udp: no\n", "sound", "loud", ": sound must be true or false"},
		{"udp: no\n", "polling_interval", "1ms", ": polling_interval must be a time from 50ms"},
		{"udp: no\n", "grace_period", "2m", ": grace_period must be a time from 0s to 1m"},
		{"udp: no\n", "theme", "pink", ": theme must be system, light or dark"},
		{"udp: no\n", "tray_icon", "pink", ": tray_icon must be automatic, outlined, light or dark"},
		{"udp: no\n", "language", "../x", ": language must be system or a language code such as en"},
		{"udp: no\n", "history_days", "0", ": history_days must be a number from 1 to 3650"},
		{"udp: no\n", "watches", "none", "\"watches\" is not a setting"},
		{"udp: no\n", "sound", "true\nwatches: []", ": sound must be true or false"},
	} {
		f, path := newFile(t, c.text)
		_, err := f.Set(c.key, c.value)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "line 0") {
			t.Errorf("Set(%s, %q) in %q: got error %v, want one line with %q", c.key, c.value, c.text, err, c.want)
		}
		if got := read(t, path); got != c.text {
			t.Errorf("Set(%s, %q) changed the file to %q", c.key, c.value, got)
		}
	}
}

// The example in docs/settings.md must be valid and must contain every key.
func TestExampleInDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	f, _ := newFile(t, example)
	if s, err := f.Load(); err != nil || !found || len(s.Warnings) > 0 || len(s.Watches) != 6 {
		t.Errorf("the example of docs/settings.md: got %+v, %v, want six watches and no warnings", s, err)
	}
	for _, key := range rootKeys {
		if !strings.Contains(string(b), "| `"+key+"` |") {
			t.Errorf("the table in docs/settings.md does not contain %s", key)
		}
	}
	for _, key := range scalarKeys {
		if !strings.Contains(example, "\n"+key+":") {
			t.Errorf("the example in docs/settings.md does not contain %s", key)
		}
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "config", "porthole", "settings.yaml")
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(filepath.Join("dotfiles", "porthole.yaml"), link); err != nil {
		t.Fatal(err)
	}
	for path, stored := range map[string]string{missing: missing, link: filepath.Join(dir, "dotfiles", "porthole.yaml")} {
		if err := Open(path).Create(); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := read(t, stored); got != "# "+fileHeader+"\n" {
			t.Errorf("%s: got %q, want only the header", stored, got)
		}
		if s, err := Open(path).Load(); err != nil || s.GracePeriod != Defaults().GracePeriod || len(s.Watches) != 1 {
			t.Errorf("%s: Load() = %+v, %v, want the defaults", path, s, err)
		}
	}
	f, path := newFile(t, "udp: true\n")
	if err := f.Create(); err != nil || read(t, path) != "udp: true\n" {
		t.Errorf("existing file: got error %v, file %q, want it unchanged", err, read(t, path))
	}
	if err := Open(filepath.Join(path, "settings.yaml")).Create(); err == nil || !strings.Contains(err.Error(), "settings.yaml") {
		t.Errorf("below a file: got error %v, want one that names the path", err)
	}
}

func TestTerminal(t *testing.T) {
	f, path := newFile(t, "terminal: kitty -e # mine\n")
	if s, err := f.Load(); err != nil || s.Terminal != "kitty -e" {
		t.Errorf("got %q, %v", s.Terminal, err)
	}
	for value, want := range map[string]string{"none": NoTerminal, "automatic": "", "/opt/my-terminal --new -e": "/opt/my-terminal --new -e"} {
		if s, err := f.Set("terminal", value); err != nil || s.Terminal != want {
			t.Errorf("%s: got %q, %v; want %q", value, s.Terminal, err, want)
		}
	}
	if got := read(t, path); got != "terminal: /opt/my-terminal --new -e # mine\n" && got != "terminal: none # mine\n" && got != "terminal: automatic # mine\n" {
		t.Errorf("got the file %q", got)
	}
	for _, text := range []string{"terminal: \"\"\n", "terminal: [kitty, -e]\n", "terminal: kitty -e 'x'\n", "terminal: \"kitty\\e[0m\"\n", "terminal: " + strings.Repeat("x", 300) + "\n"} {
		f, _ := newFile(t, text)
		if s, err := f.Load(); err == nil || !strings.Contains(err.Error(), "terminal must be") {
			t.Errorf("%.40q: got %q, %v", text, s.Terminal, err)
		}
	}
}
