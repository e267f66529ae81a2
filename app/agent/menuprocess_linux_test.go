package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/app/desktop"
	traypkg "porthole/app/tray"
	"porthole/internal/await"
	"porthole/ui/tray"
)

// fakeMenu is an agent whose menu process is a shell script.
type fakeMenu struct {
	*Agent
	t   *testing.T
	dir string
	out bytes.Buffer // the log; only read while the agent does nothing
}

// newFakeMenu returns an agent whose menu process runs script in the folder dir, with the
// arguments, environment and input of the menu.
func newFakeMenu(t *testing.T, script string) *fakeMenu {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "menu.sh")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncd '"+dir+"' || exit 9\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	a, _ := newTestAgent(t, filepath.Join(dir, "pause.json"))
	t.Cleanup(a.quit)
	f := &fakeMenu{Agent: a, t: t, dir: dir}
	a.log = slog.New(slog.NewTextHandler(&f.out, nil))
	a.menu.program = func() (string, error) { return program, nil }
	a.opts.Session = desktop.Session{"DISPLAY": ":99", "HOME": dir}
	a.tray = traypkg.New(tray.Model{}, "", trayActions{a}, a.log)
	return f
}

// handle runs functions of the agent's loop until ok returns true.
func (f *fakeMenu) handle(what string, ok func() bool) {
	f.t.Helper()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case do := <-f.inbox:
			do()
		case <-limit:
			f.t.Fatalf("%s: not within 20 s; the log is %q", what, f.out.String())
		}
	}
}

// closed reports that there is no menu.
func (f *fakeMenu) closed() bool { return f.menu.cancel == nil }

// awaitFile waits until the script has written a whole line into a file and returns it.
func (f *fakeMenu) awaitFile(name string) (text string) {
	f.t.Helper()
	await.Until(f.t, "the menu writes "+name, func() bool {
		b, _ := os.ReadFile(filepath.Join(f.dir, name)) // missing at first
		text = string(b)
		return strings.HasSuffix(text, "\n")
	})
	return strings.TrimSuffix(text, "\n")
}

// The menu process gets the entries, the place and the activation token, and the tray acts
// as for a click on the chosen entry.
func TestMenuProcess(t *testing.T) {
	f := newFakeMenu(t, `
printf '%s\n' "$@" >args
printf '%s %s %s\n' "$XDG_ACTIVATION_TOKEN" "$DESKTOP_STARTUP_ID" "$DISPLAY" >environment
cat >entries
cat choice
`)
	f.settings.Theme, f.settings.Language = "dark", "de"
	f.tray.Show(tray.Model{Watched: []tray.Line{{Text: "62893 free", Port: 62893}}})
	entries := f.tray.Entries()
	pause := slices.IndexFunc(entries, func(text string) bool { return strings.HasPrefix(text, "Pause") })
	if pause < 0 {
		t.Fatalf("got entries %q, want one that pauses", entries)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "choice"), fmt.Appendln(nil, pause), 0o644); err != nil {
		t.Fatal(err)
	}
	f.menu.show(entries, 30, -4, "token")
	f.handle("the chosen entry pauses notifications", func() bool { return f.paused })
	if !f.closed() {
		t.Error("the menu still counts as open")
	}
	if got, want := f.awaitFile("args"), "menu\n--theme=dark\n--language=de\n--x=30\n--y=-4"; got != want {
		t.Errorf("got arguments %q, want %q", got, want)
	}
	if got, want := f.awaitFile("environment"), "token token :99"; got != want {
		t.Errorf("got environment %q, want %q", got, want)
	}
	var got []string
	b, err := os.ReadFile(filepath.Join(f.dir, "entries"))
	if err == nil {
		err = json.Unmarshal(b, &got)
	}
	if err != nil || !slices.Equal(got, entries) {
		t.Errorf("got entries %q, error %v; want %q", got, err, entries)
	}
}

// An answer that is no entry does nothing. If the process fails, the window opens: it has
// everything that the menu has.
func TestMenuProcessWithoutAChoice(t *testing.T) {
	for _, c := range []struct {
		name, script string
		log          string // in the log; "": it is empty
	}{
		{"closed without a choice", "exit 0", ""},
		{"no number", "echo nothing", ""},
		{"no such entry", "echo 4711", ""},
		{"a negative number", "echo -1", ""},
		{"a failure", "echo 'panic: no OpenGL' >&2; exit 5", "panic: no OpenGL"},
	} {
		f := newFakeMenu(t, c.script)
		f.menu.show([]string{"Open Porthole"}, 0, 0, "")
		f.handle(c.name, f.closed)
		if f.paused || f.ctx.Err() != nil {
			t.Errorf("%s: something was chosen", c.name)
		}
		log := f.out.String()
		if c.log == "" && log != "" || !strings.Contains(log, c.log) {
			t.Errorf("%s: got log %q, want %q in it", c.name, log, c.log)
		}
		if wantsWindow := c.log != ""; strings.Contains(log, "can't show the window") != wantsWindow { // there is no display
			t.Errorf("%s: got log %q, want that the window opens: %t", c.name, log, wantsWindow)
		}
	}
}

// sleepingMenu is the script of a menu that nobody uses.
const sleepingMenu = "echo $$ >pid; exec sleep 600"

// gone reports whether the process with the PID in the file of sleepingMenu has ended.
func gone(pid string) bool {
	var n int
	_, err := fmt.Sscan(pid, &n)
	return err == nil && syscall.Kill(n, 0) == syscall.ESRCH
}

// A second click closes the menu, as for those of panels, and a third opens it again.
func TestMenuProcessIsClosedByASecondClick(t *testing.T) {
	f := newFakeMenu(t, sleepingMenu)
	f.menu.show([]string{"Quit Porthole"}, 0, 0, "")
	pid := f.awaitFile("pid")
	f.menu.show([]string{"Quit Porthole"}, 0, 0, "")
	f.handle("the menu closes", f.closed)
	if !gone(pid) {
		t.Errorf("the menu process %s still runs", pid)
	}
	if f.out.Len() > 0 {
		t.Errorf("got log %q, want none", f.out.String())
	}
	f.menu.show([]string{"Quit Porthole"}, 0, 0, "")
	if f.closed() {
		t.Error("the third click opened no menu")
	}
}

// The menu does not outlive the agent.
func TestMenuProcessEndsWithTheAgent(t *testing.T) {
	f := newFakeMenu(t, sleepingMenu)
	f.menu.show([]string{"Quit Porthole"}, 0, 0, "")
	pid := f.awaitFile("pid")
	f.quit()
	await.Until(t, "the menu process ends", func() bool { return gone(pid) })
}

// A program that cannot be started is a failure like others.
func TestMenuProcessThatCannotStart(t *testing.T) {
	f := newFakeMenu(t, "")
	f.menu.program = func() (string, error) { return filepath.Join(f.dir, "none"), nil }
	f.menu.show([]string{"Quit Porthole"}, 0, 0, "")
	f.handle("the failure is reported", f.closed)
	if !strings.Contains(f.out.String(), "can't show the window") {
		t.Errorf("got log %q, want that the window opens", f.out.String())
	}
}
