package emulator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// install puts programs into a folder that becomes PATH. "a>b" is a link to b.
func install(t *testing.T, programs ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, p := range programs {
		name, target, isLink := strings.Cut(p, ">")
		var err error
		if isLink {
			err = os.Symlink(target, filepath.Join(dir, name))
		} else {
			err = os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		programs []string
		before   string
		desktop  string
		want     string // the command without the folder; "" for none
		title    string
	}{
		"none":                        {programs: []string{"sh"}},
		"the one that it ran in":      {[]string{"xterm", "kitty", "x-terminal-emulator>xterm"}, "kitty", "GNOME", "kitty", "kitty"},
		"the one that is gone":        {[]string{"xterm", "x-terminal-emulator>xterm"}, "kitty", "GNOME", "x-terminal-emulator -e", "xterm"},
		"an unknown one":              {[]string{"xterm"}, "iTerm2", "", "xterm -e", "xterm"},
		"the user's choice":           {[]string{"xdg-terminal-exec", "konsole", "x-terminal-emulator>konsole"}, "", "KDE", "xdg-terminal-exec", "xdg-terminal-exec"},
		"Debian's alternative":        {[]string{"konsole", "gnome-terminal.wrapper", "x-terminal-emulator>gnome-terminal.wrapper"}, "", "KDE", "x-terminal-emulator -e", "GNOME Terminal"},
		"the desktop's":               {[]string{"xterm", "gnome-terminal", "konsole"}, "", "KDE", "konsole -e", "Konsole"},
		"the second desktop's":        {[]string{"xterm", "gnome-terminal", "konsole"}, "", "ubuntu:GNOME", "gnome-terminal --", "GNOME Terminal"},
		"in another case":             {[]string{"xterm", "qterminal", "konsole"}, "", "lxqt", "qterminal -e", "QTerminal"},
		"any":                         {[]string{"xterm", "foot"}, "", "X", "foot", "foot"},
		"any without a desktop":       {[]string{"xterm", "wezterm"}, "", "", "wezterm start --", "WezTerm"},
		"one with options before it":  {[]string{"ptyxis", "kgx"}, "", "GNOME", "ptyxis --new-window --", "Ptyxis"},
		"a broken alternative":        {[]string{"x-terminal-emulator>gone", "xterm"}, "", "", "xterm -e", "xterm"},
		"one that takes the rest (x)": {[]string{"xfce4-terminal"}, "", "XFCE", "xfce4-terminal -x", "Xfce Terminal"},
	} {
		install(t, test.programs...)
		variables := func(name string) (string, bool) {
			v := map[string]string{"DISPLAY": ":0", "XDG_CURRENT_DESKTOP": test.desktop}[name]
			return v, v != ""
		}
		e, ok := Find(test.before, variables)
		if ok != (test.want != "") || e.Title != test.title {
			t.Errorf("%s: got %+v, %v; want %q", name, e, ok, test.title)
		}
		if ok {
			e.args[0] = filepath.Base(e.args[0])
		}
		if got := strings.Join(e.args, " "); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	install(t, "xterm")
	if e, ok := Find("", func(string) (string, bool) { return "", false }); ok {
		t.Errorf("without a display: got %+v", e)
	}
}

func TestCommand(t *testing.T) {
	install(t, "kitty", "mine")
	for text, want := range map[string]string{"kitty": "kitty", " mine  -a  -e ": "mine -a -e", "gone -e": "", "": "", "  ": ""} {
		e, err := Command(text)
		if (err == nil) != (want != "") {
			t.Errorf("%q: got %+v, %v", text, e, err)
		}
		if err != nil {
			continue
		}
		e.args[0] = filepath.Base(e.args[0])
		if got := strings.Join(e.args, " "); got != want || e.Title != strings.Fields(want)[0] {
			t.Errorf("%q: got %q, %q; want %q", text, got, e.Title, want)
		}
	}
}

func TestOpen(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	e := Emulator{"fake", []string{"/bin/sh", "-c", `printf '%s|' "$0" "$@" "$A" "$PWD" >` + out}}
	ended, err := e.Open([]string{"a b", "c"}, []string{"A=x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(out); err != nil || string(b) != "a b|c|x|/|" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := (Emulator{"gone", []string{"/nonexistent"}}).Open(nil, nil); err == nil || !strings.Contains(err.Error(), "start gone") {
		t.Errorf("got %v", err)
	}
}
