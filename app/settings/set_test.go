package settings

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestSetChangesOneLineAndNothingElse(t *testing.T) {
	const text = "# my dotfiles\nudp: no   # quiet\n\n\nfuture: {a: 1}\nsound: true\nwatches:\n    - ports: 80   # web\n\n# at the end\n"
	for _, c := range []struct{ name, text, key, value, want string }{
		{"a value", text, "udp", "true", strings.Replace(text, "no ", "true ", 1)},
		{"a new key", "udp: no\n\nwatches: []", "theme", "dark", "udp: no\n\nwatches: []\ntheme: dark\n"},
		{"an interval", "interval: \"1s\" # slow\n", "interval", "500ms", "interval: 500ms # slow\n"},
		{"the default", "a: 1\nkeep_rows: 5000\nb: 2\n", "keep_rows", "", "a: 1\nb: 2\n"},
		{"what is not there", "a: 1\n\nb: 2\n", "keep_rows", "", "a: 1\n\nb: 2\n"},
		{"Windows' lines", "udp: no\r\nb: 2\r\n", "udp", "true", "udp: true\r\nb: 2\r\n"},
		{"in braces", "{udp: false, b: 2}\n", "udp", "true", "{udp: true, b: 2}\n"},
		{"on the next line", "udp:\n  false\nb: 2\n", "udp", "", "b: 2\n"},
		{"an ended document", "udp: false\n...\n", "theme", "dark", "udp: false\ntheme: dark\n"},
		{"a new file", "", "notifications", "false", "# " + fileHeader + "\n\nnotifications: false\n"},
		{"comments alone", "# only this\n", "theme", "dark", "# only this\n\ntheme: dark\n"},
	} {
		f, path := file(t, c.text)
		if _, err := f.Set(c.key, c.value); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := read(t, path); got != c.want {
			t.Errorf("%s: the file is\n%swant\n%s", c.name, got, c.want)
		}
	}
}

func TestWhatIsSetHolds(t *testing.T) {
	f, path := file(t, "")
	for _, c := range [][2]string{{"theme", "light"}, {"tray_icon", "dark"}, {"language", "en"}, {"start_hidden", "true"}, {"notifications", "false"}, {"sound", "true"},
		{"interval", "2s"}, {"udp", "true"}, {"other_addresses", "true"}, {"keep_days", "7"}, {"keep_rows", "100000"}} {
		if _, err := f.Set(c[0], c[1]); err != nil {
			t.Errorf("Set %s to %s: %v", c[0], c[1], err)
		}
	}
	s, err := Open(path).Load()
	if err != nil || s.Theme != "light" || s.TrayIcon != "dark" || s.Language != "en" || !s.StartHidden || s.Notifications || !s.Sound || s.PollingInterval != 2*time.Second ||
		!s.UDP || !s.AllAddresses || s.HistoryDays != 7 || s.HistoryEvents != 100000 || !s.Watches.WatchesPort(62893) {
		t.Errorf("read again: %+v, %v; file:\n%s", s, err, read(t, path))
	}
	for _, c := range [][2]string{{"theme", "system"}, {"tray_icon", "outlined"}, {"language", "system"}} {
		if s, err = f.Set(c[0], c[1]); err != nil {
			t.Error(err)
		}
	}
	if s.Theme != "" || s.TrayIcon != "" || s.Language != "" {
		t.Errorf("as the system is: %+v; want no theme, no tray icon and no language", s)
	}
	if d := Defaults(); !d.Notifications || d.StartHidden || d.AllAddresses {
		t.Errorf("the defaults are %+v; want notifications, and nothing hidden", d)
	}
}

func TestWhatCannotBeSetIsRefusedInASentence(t *testing.T) {
	for _, c := range []struct{ text, key, value, want string }{
		{"version: 9\nudp: no\n", "udp", "true", "newer Porthole"},
		{"udp: perhaps\n", "sound", "true", "line 1: udp is true or false"},
		{"udp: no\n", "sound", "loud", ": sound is true or false"},
		{"udp: no\n", "interval", "1ms", ": interval is a time from 50ms"},
		{"udp: no\n", "theme", "pink", ": theme is system, light or dark"},
		{"udp: no\n", "tray_icon", "pink", ": tray_icon is outlined, light or dark"},
		{"udp: no\n", "language", "../x", ": language is system, or a language like en"},
		{"udp: no\n", "keep_days", "0", ": keep_days is a number of days"},
		{"udp: no\n", "watches", "none", "\"watches\" is no setting"},
		{"udp: no\n", "sound", "true\nwatches: []", ": sound is true or false"},
	} {
		f, path := file(t, c.text)
		_, err := f.Set(c.key, c.value)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "line 0") {
			t.Errorf("Set %s to %q in %q: %v; want one line with %q", c.key, c.value, c.text, err, c.want)
		}
		if got := read(t, path); got != c.text {
			t.Errorf("the file became %q", got)
		}
	}
}

// The file in docs/settings.md is one that Porthole reads, with every key that there is.
func TestTheFileInTheDocsIsRight(t *testing.T) {
	b, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	f, _ := file(t, text)
	if s, err := f.Load(); err != nil || len(s.Watches) != 4 {
		t.Errorf("%d watches, %v", len(s.Watches), err)
	}
	for _, key := range rootKeys {
		if !strings.Contains(string(b), "| `"+key+"` |") {
			t.Errorf("the table in docs/settings.md lacks %s", key)
		}
	}
	for _, key := range scalarKeys {
		if !strings.Contains(text, "\n"+key+":") {
			t.Errorf("docs/settings.md does not tell of %s", key)
		}
	}
}
