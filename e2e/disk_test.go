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

// onDisk starts Porthole with its settings and what it remembers on file systems
// of their own, which nobody else sees: a mount namespace's.
func (d *desk) onDisk(options string) *process {
	d.t.Helper()
	settings, state := filepath.Dir(d.settings()), filepath.Dir(d.logPath())
	d.do("make the folders", os.MkdirAll(settings, 0o700))
	d.do("make the folders", os.MkdirAll(state, 0o700))
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		d.t.Skipf("no mount namespace can be made here: %v: %s", err, out)
	}
	const script = `mount -t tmpfs -o "$1" none "$2" && mount -t tmpfs -o "$1" none "$3" && shift 3 && exec "$@"`
	return d.run("unshare", nil, "--mount", "--propagation", "private", "sh", "-c", script, "sh", options+",mode=700", settings, state, d.bin)
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
	for name, c := range map[string]struct{ bad, good string }{
		"full":      {"size=4k,nr_inodes=3", "size=20m,nr_inodes=1000"},
		"read-only": {"ro", "rw"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := boot(t, desktop.DefaultOptions())
			agent := d.onDisk(c.bad)
			item := d.item(agent)
			window := d.window("Porthole")
			d.warned(window, true)
			server := d.listen("127.0.0.1:62893")
			d.tooltip(item, "1 of 1 watched open")
			d.note("62893 is open")

			// A watch holds, although it cannot be kept.
			d.do("ask for a free port", window.Type("5432"))
			d.clickWatch(window)
			d.menuHas(item, "○ 5432 free")
			d.steady(window)
			d.shot("disk-" + name)

			d.remount(agent, c.good)
			server.close()
			d.note("62893 closed")
			d.insideHas(agent, filepath.Join(filepath.Dir(d.logPath()), "activity.db"), "SQLite format 3")
			d.do("watch it no longer", item.Click(d.step(), "Open Porthole"))
			_ = window
			d.wantStatus(d.start("quit"), 0)
			d.wantStatus(agent, 0)
		})
	}
}
