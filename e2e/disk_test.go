package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// startOnDisk starts Porthole with its settings and its state on file systems of their
// own, which only its mount namespace has. They are full if they can be written at
// all; then the settings watch port.
func (d *desk) startOnDisk(options string, port int) *process {
	d.t.Helper()
	settings, state := filepath.Dir(d.settingsPath()), filepath.Dir(d.logPath())
	d.do("create a folder", os.MkdirAll(settings, 0o700))
	d.do("create a folder", os.MkdirAll(state, 0o700))
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		d.t.Skipf("no mount namespace can be created: %v: %s", err, out)
	}
	const script = `set -e; options=$1; shift
		for folder in "$1" "$2"; do
			mount -t tmpfs -o "$options" none "$folder"
			echo "watches: [{ports: $3}]" >"$folder/settings.yaml" || true
			cat /dev/zero >"$folder/filler" || true
		done 2>/dev/null
		shift 3; exec "$@"`
	return d.run("unshare", nil, "--mount", "--propagation", "private", "sh", "-c", script, "sh", options+",mode=700", settings, state, fmt.Sprint(port), d.bin)
}

// remount changes the options of both file systems of p.
func (d *desk) remount(p *process, options string) {
	d.t.Helper()
	for _, path := range []string{d.settingsPath(), d.logPath()} {
		out, err := exec.Command("nsenter", "--target", fmt.Sprint(p.pid()), "--mount", "mount", "-o", "remount,"+options, filepath.Dir(path)).CombinedOutput()
		d.do("remount: "+string(out), err)
	}
}

// fileHas waits until a file contains a text, in the mount namespace of p.
func (d *desk) fileHas(p *process, path, text string) {
	d.t.Helper()
	d.eventually(filepath.Base(path), func() error {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s", p.pid(), path))
		if err == nil && !strings.Contains(string(b), text) {
			err = fmt.Errorf("got %q; want %q in it", b, text)
		}
		return err
	})
}

// Porthole works while it cannot write, shows a warning, and writes again when it can.
func TestFullAndReadOnlyDisk(t *testing.T) {
	longTest(t)
	for name, c := range map[string]struct {
		bad, good string
		port      int
	}{
		"full":      {"size=16k", "size=20m", 20021},
		"read-only": {"ro", "rw", 62893},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDesk(t, desktop.DefaultOptions())
			agent := d.startOnDisk(c.bad, c.port)
			item := d.item(agent)
			window := d.mainWindow()
			d.hasWarning(window, true)
			server := d.listen(fmt.Sprint("127.0.0.1:", c.port))
			d.tooltip(item, tooltipOpen(1, 1))
			d.note(noteOpen(fmt.Sprint(c.port)))

			// A new watch works although it cannot be saved.
			d.do("ask for a free port", window.Type("5432"))
			d.clickWatch(window)
			d.menuHas(item, menuFree("5432"))
			d.hasWarning(window, true)
			d.steady(window)
			d.shot("disk-" + name)

			d.remount(agent, c.good)
			server.close()
			d.note(noteClosed(fmt.Sprint(c.port)))
			d.do("click the filter", window.Click(200, 62)) // away from the button, which changes its colour under the pointer
			d.do("select its text", window.Key("ctrl+a"))
			d.do("ask for another port", window.Type("5433"))
			d.clickWatch(window)
			d.menuHas(item, menuFree("5433"))
			for _, port := range []string{"5432", "5433"} {
				d.fileHas(agent, d.settingsPath(), "ports: "+port)
			}
			if name == "full" { // the history is tried again after 30 s: once is enough
				d.hasWarning(window, false)
				d.fileHas(agent, d.statePath(historyFile), "SQLite format 3")
			}
			d.quit(agent)
			if out := agent.out.String(); strings.Contains(out, cliNoLog) != (name == "read-only") {
				t.Errorf("got the output %q; want %q in it only if the log cannot be opened", out, cliNoLog)
			}
		})
	}
}
