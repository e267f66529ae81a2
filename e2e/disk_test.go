package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// onDisk starts Porthole with its settings and what it remembers on file systems
// of their own, which nobody else sees: a mount namespace's. Where they can be
// written at all it watches port, and they are full.
func (d *desk) onDisk(options string, port int) *process {
	d.t.Helper()
	settings, state := filepath.Dir(d.settings()), filepath.Dir(d.logPath())
	d.do("make the folders", os.MkdirAll(settings, 0o700))
	d.do("make the folders", os.MkdirAll(state, 0o700))
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		d.t.Skipf("no mount namespace can be made here: %v: %s", err, out)
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

// remount changes both file systems of p.
func (d *desk) remount(p *process, options string) {
	d.t.Helper()
	for _, path := range []string{d.settings(), d.logPath()} {
		out, err := exec.Command("nsenter", "--target", fmt.Sprint(p.pid()), "--mount", "mount", "-o", "remount,"+options, filepath.Dir(path)).CombinedOutput()
		d.do("remount: "+string(out), err)
	}
}

// insideHas waits until a file, as p sees it, has a text in it.
func (d *desk) insideHas(p *process, path, text string) {
	d.t.Helper()
	d.eventually(filepath.Base(path), func() error {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s", p.pid(), path))
		if err == nil && !strings.Contains(string(b), text) {
			err = fmt.Errorf("it has no %q: %q", text, b)
		}
		return err
	})
}

// Porthole works on where nothing can be written, says so, and goes back to
// writing when it can.
func TestNoRoomOnTheDisk(t *testing.T) {
	long(t)
	for name, c := range map[string]struct {
		bad, good string
		port      int
	}{
		"full":      {"size=16k", "size=20m", 20021},
		"read-only": {"ro", "rw", 62893},
	} {
		t.Run(name, func(t *testing.T) {
			d := boot(t, desktop.DefaultOptions())
			agent := d.onDisk(c.bad, c.port)
			item := d.item(agent)
			window := d.window("Porthole")
			d.warned(window, true)
			server := d.listen(fmt.Sprint("127.0.0.1:", c.port))
			d.tooltip(item, "1 of 1 watched open")
			d.note(fmt.Sprint(c.port, " is open"))

			// A watch holds, although it cannot be kept.
			d.do("ask for a free port", window.Type("5432"))
			d.clickWatch(window)
			d.menuHas(item, "○ 5432 free")
			d.warned(window, true)
			time.Sleep(500 * time.Millisecond) // for the picture
			d.shot("disk-" + name)

			d.remount(agent, c.good)
			server.close()
			d.note(fmt.Sprint(c.port, " closed"))
			d.do("ask for another one", window.Click(200, 62)) // a button under the pointer has another colour
			d.do("ask for another one", window.Key("ctrl+a"))
			d.do("ask for another one", window.Type("5433"))
			d.clickWatch(window)
			d.menuHas(item, "○ 5433 free")
			for _, port := range []string{"5432", "5433"} {
				d.insideHas(agent, d.settings(), "ports: "+port)
			}
			if name == "full" { // the activity is tried again after 30 s: once is enough
				d.warned(window, false)
				d.insideHas(agent, filepath.Join(filepath.Dir(d.logPath()), "history.db"), "SQLite format 3")
			}
			d.wantStatus(d.start("quit"), 0)
			d.wantStatus(agent, 0)
			if out := agent.out.String(); strings.Contains(out, "no log is kept") != (name == "read-only") {
				t.Errorf("that there is no log is said where the log is not full but refused; it says %q", out)
			}
		})
	}
}
