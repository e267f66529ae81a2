package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// selectedGround is the ground of the selected row in the dark theme.
var selectedGround = color.RGBA{0x1d, 0x3b, 0x40, 255}

// A user finds out who has a port, and stops it with the keyboard alone.
func TestStopWithTheKeyboard(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.start()
	window := d.window("Porthole")
	server := d.project("acme-web", "node", "127.0.0.1:62893")
	d.note("62893 is open: node")
	d.do("filter", window.Type("62893"))
	d.do("go to the row", window.Key("Down"))
	d.steady(window)
	title := fmt.Sprintf("node %d – Porthole", server.pid())
	row := d.selectedRow(window)
	d.eventually("a double click opens the process", func() error { // on a busy machine one can come as two clicks
		if err := window.DoubleClick(row.X, row.Y); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(d.t.Context(), 5*time.Second)
		defer cancel()
		_, err := d.WaitWindow(ctx, title)
		return err
	})
	process := d.window(title)
	d.steady(process)
	d.shot("stop-process")
	d.reads(process, d.why("62893"))

	// Esc leaves everything as it is.
	before := d.steady(window)
	if shown, err := d.Shows(selectedGround); err != nil || !shown {
		t.Fatalf("the selected row is shown: %t, %v", shown, err)
	}
	d.asked(window)
	d.shot("stop-asked")
	d.do("press Esc", window.Key("Escape"))
	d.offers(window, false)
	if !alive(server.pid()) {
		t.Fatal("Esc stopped the server")
	}

	d.asked(window)
	d.do("go to Stop", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.ends(server)
	note := d.note("62893 closed: node")
	if !strings.HasPrefix(note.Body, "stopped by you") {
		t.Errorf("the notification says %q; want that the user stopped it", note.Body)
	}
	d.shot("stop-stopped")
	d.do("close the dialog", window.Key("Escape"))
	d.eventually("the row goes", func() error {
		if shown, err := d.Shows(selectedGround); err != nil || shown {
			return cmp.Or(err, errors.New("the selected row is still there"))
		}
		return differs(d, window, before)
	})
	d.steady(window)
	d.do("raise the process window", process.Focus())
	d.steady(process)
	d.shot("stop-story")
}

// why is the sentence in which the command line says why the owner of a port runs.
func (d *desk) why(port string) string {
	d.t.Helper()
	p := d.start("who", port, "--json")
	d.wantStatus(p, 0)
	var told struct {
		Listeners []struct {
			Why struct{ Sentence string }
		}
	}
	if err := json.Unmarshal(p.out.Bytes(), &told); err != nil || len(told.Listeners) != 1 || told.Listeners[0].Why.Sentence == "" {
		d.t.Fatalf("who says %q: %v", p.out.String(), err)
	}
	return told.Listeners[0].Why.Sentence
}

// reads looks for a line in a process window with the mouse, from top to bottom: it
// selects what stands there, and copies it. A long line is found by its beginning.
func (d *desk) reads(w desktop.Window, line string) {
	d.t.Helper()
	const first, last, step = 80, 260, 8
	y := first
	d.eventually("the window says "+line, func() error {
		if err := errors.Join(w.Drag(image.Pt(34, y), image.Pt(600, y)), w.Key("ctrl+c")); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
		got, err := d.Clipboard(d.step())
		if err == nil && (len(got) < 12 || !strings.HasPrefix(line, strings.TrimSpace(got))) {
			err = fmt.Errorf("copied %q at %d", got, y)
			y = first + (y-first+step)%(last-first)
		}
		return err
	})
}

// What ignores it is offered to be forced, and only then; its child is asked too.
func TestForceWhatDoesNotEnd(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "theme: light\n")
	d.start()
	window := d.window("Porthole")
	server := d.project("acme-web", "node", "127.0.0.1:62893")
	child := server.order(d, "child") // before: it would inherit what is ignored
	server.order(d, "ignore")
	t.Cleanup(func() {
		if alive(child) {
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	})
	d.note("62893 is open: node")
	time.Sleep(5 * time.Second) // a child has the port too until it runs its program; holders are checked every 4 s
	d.do("filter", window.Type("62893"))
	d.do("go to the row", window.Key("Down"))
	d.steady(window)
	d.asked(window)
	d.do("go to the children", window.Key("shift+Tab"))
	d.do("want them to end too", window.Key("space"))
	time.Sleep(time.Second) // for the picture
	d.shot("stop-asked-light")
	d.do("go to Stop", window.Key("Tab", "Tab"))
	d.do("press it", window.Key("Return"))
	d.offers(window, false)
	time.Sleep(3 * time.Second) // for the picture: the line grows
	d.shot("stop-waiting-light")
	d.offers(window, true)
	d.shot("stop-force-light")
	if !alive(server.pid()) {
		t.Fatal("the server ended before it was forced")
	}
	if alive(child) {
		t.Error("its child was not asked to end")
	}
	d.do("go to Force", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.ends(server)
	d.note("62893 closed: node")
	d.shot("stop-forced-light")
}

// asked presses Delete and waits for the question.
func (d *desk) asked(w desktop.Window) {
	d.t.Helper()
	d.do("press Delete", w.Key("Delete"))
	d.offers(w, true)
}

// offers waits until the window has a button that ends something, or has none.
func (d *desk) offers(w desktop.Window, wanted bool) {
	d.t.Helper()
	danger := []color.RGBA{{0xff, 0x6b, 0x61, 255}, {0xc2, 0x26, 0x1d, 255}}
	const wide = 20 // pixels: wider than a stroke of red words
	d.eventually(fmt.Sprintf("a red button: %t", wanted), func() error {
		img, err := screen(d)
		if err != nil {
			return err
		}
		frame, err := w.Geometry()
		if err != nil {
			return err
		}
		found := false
		for y := frame.Min.Y; y < frame.Max.Y; y++ {
			run := 0
			for x := frame.Min.X; x < frame.Max.X; x++ {
				if run++; !slices.ContainsFunc(danger, func(c color.RGBA) bool { return near(img.At(x, y), c) }) {
					run = 0
				}
				found = found || run >= wide
			}
		}
		if found != wanted {
			return fmt.Errorf("there is one: %t", found)
		}
		return nil
	})
}

// ends waits for the end of a server.
func (d *desk) ends(s *server) {
	d.t.Helper()
	d.eventually("the server ends", func() error {
		if alive(s.pid()) {
			return fmt.Errorf("%d runs on", s.pid())
		}
		return nil
	})
}
