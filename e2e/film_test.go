package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// film is a moving picture: how the screen looked, and for how long it is to be
// seen so.
type film struct {
	d      *desk
	dir    string
	frames []string // arguments of convert(1)
}

// show takes a picture and shows it for a while.
func (f *film) show(d time.Duration) {
	f.d.t.Helper()
	file := filepath.Join(f.dir, fmt.Sprintf("%04d.png", len(f.frames)))
	f.d.do("take a picture", f.d.Screenshot(file))
	f.frames = append(f.frames, "-delay", fmt.Sprint(d.Milliseconds()/10), file)
}

// run takes pictures for so long, as fast as they are shown.
func (f *film) run(d time.Duration) {
	f.d.t.Helper()
	const frame = 200 * time.Millisecond
	for end := time.Now().Add(d); time.Now().Before(end); {
		next := time.Now().Add(frame)
		f.show(frame)
		time.Sleep(time.Until(next))
	}
}

// write makes a GIF of it, which runs for ever.
func (f *film) write(file string) {
	f.d.t.Helper()
	args := append([]string{"-loop", "0"}, f.frames...)
	args = append(args, "+dither", "-layers", "optimize", "-colors", "96", file)
	if out, err := exec.Command("convert", args...).CombinedOutput(); err != nil {
		f.d.t.Fatalf("convert: %v\n%s", err, out)
	}
}

// TestFilm is "make film": a port opens, the notification comes, a double click
// opens the process, and it is stopped.
func TestFilm(t *testing.T) {
	file := os.Getenv("PORTHOLE_FILM")
	if file == "" {
		t.Skip("PORTHOLE_FILM says which file to write; make film does")
	}
	options := desktop.DefaultOptions()
	options.Size = "1080x760x24"
	d := boot(t, options)
	f := &film{d: d, dir: t.TempDir()}
	d.oldUser()
	d.start()
	window := d.window("Porthole")
	d.steady(window)
	f.show(1500 * time.Millisecond)

	src := filepath.Join(filepath.Dir(file), "src") // it is in the picture
	d.do("make a folder for a project", os.Mkdir(src, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(src) })
	server := d.projectIn(src, "acme-web", "node", "127.0.0.1:62893")
	f.run(3 * time.Second)
	d.do("go to the row", window.Key("Down"))
	d.steady(window)
	row := d.selectedRow(window)
	f.show(time.Second)
	d.do("open the process", window.DoubleClick(row.X, row.Y))
	process := d.window(fmt.Sprintf("node %d – Porthole", server.pid()))
	d.steady(process)
	f.show(4 * time.Second)

	d.do("go to Stop", process.Key("shift+Tab"))
	d.do("press it", process.Key("Return"))
	d.offers(process, true)
	f.show(2 * time.Second)
	d.do("go to Stop", process.Key("Tab"))
	d.do("press it", process.Key("Return"))
	d.ends(server)
	f.run(1500 * time.Millisecond)
	d.note("62893 closed: node")
	f.show(4 * time.Second)
	f.write(file)
}
