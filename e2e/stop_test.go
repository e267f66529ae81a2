package e2e

import (
	"cmp"
	"context"
	"errors"
	"image"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// A user finds the owner of a port and stops it with the keyboard only.
func TestStopWithTheKeyboard(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.start()
	window := d.mainWindow()
	server := d.project("acme-web", "node", "127.0.0.1:62893")
	d.note(noteOpen("62893", "node"))
	d.filterRows(window, "62893")
	title := processTitle("node", server.pid())
	row := d.selectedRow(window)
	d.eventually("a double click opens the process", func() error { // on a busy machine it may count as two clicks
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
	d.showsText(process, d.whySentence("62893"))

	// Esc stops nothing.
	before := d.steady(window)
	if shown, err := d.Shows(selectedRows[0]); err != nil || !shown {
		t.Fatalf("the selected row is visible: got %t, %v; want true", shown, err)
	}
	d.askToStop(window)
	d.shot("stop-question")
	d.do("press Esc", window.Key("Escape"))
	d.hasDangerButton(window, false)
	if !alive(server.pid()) {
		t.Fatal("Esc stopped the server")
	}

	d.askToStop(window)
	d.do("go to Stop", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.waitGone(server.pid())
	note := d.note(noteClosed("62893", "node"))
	if !strings.HasPrefix(note.Body, bodyStopped) {
		t.Errorf("got the notification's body %q; want it to begin with %q", note.Body, bodyStopped)
	}
	d.shot("stop-stopped")
	d.do("close the dialog", window.Key("Escape"))
	d.eventually("the row is removed", func() error {
		if shown, err := d.Shows(selectedRows[0]); err != nil || shown {
			return cmp.Or(err, errors.New("the selected row is still visible"))
		}
		return differs(d, window, before)
	})
	d.steady(window)
	d.do("raise the process window", process.Focus())
	d.steady(process)
	d.shot("stop-details")
}

// whySentence returns the sentence of porthole who that explains why the owner of a port
// runs.
func (d *desk) whySentence(port string) string {
	d.t.Helper()
	l, err := oneListener[struct{ Why struct{ Sentence string } }](d, "who", port)
	if err != nil || l.Why.Sentence == "" {
		d.t.Fatalf("got %+v, %v; want a sentence", l, err)
	}
	return l.Why.Sentence
}

// showsText looks for a line in a process window. A long line is found by its beginning.
func (d *desk) showsText(w desktop.Window, line string) {
	d.t.Helper()
	d.findText(w, image.Pt(34, 80), 260, func(got string) bool {
		return len(got) >= 12 && strings.HasPrefix(line, strings.TrimSpace(got))
	})
}

// Force quit is offered only for a process that ignores SIGTERM. Its child gets SIGTERM
// too.
func TestForceQuit(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("theme: light\n")
	d.start()
	window := d.mainWindow()
	server := d.project("acme-web", "node", noAddress)
	child := server.command(d, "child") // first: a child inherits ignored signals
	server.command(d, "ignore")
	server.command(d, "listen 127.0.0.1:62893") // last: a new child has its parent's sockets for a moment
	t.Cleanup(func() {
		if alive(child) {
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	})
	d.note(noteOpen("62893", "node"))
	d.filterRows(window, "62893")
	d.askToStop(window)
	d.do("go to the children", window.Key("shift+Tab"))
	d.do("include them", window.Key("space"))
	d.steady(window)
	d.shot("stop-question-light")
	d.do("go to Stop", window.Key("Tab", "Tab"))
	d.do("press it", window.Key("Return"))
	d.hasDangerButton(window, false)
	d.shot("stop-waiting-light")
	d.hasDangerButton(window, true)
	d.shot("stop-force-light")
	if !alive(server.pid()) {
		t.Fatal("the server ended before the force quit")
	}
	if alive(child) {
		t.Error("the child is alive; want that SIGTERM ended it")
	}
	d.do("go to Force quit", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.waitGone(server.pid())
	d.note(noteClosed("62893", "node"))
	d.shot("stop-forced-light")
}

// askToStop presses Delete and waits for the question. It waits for the selected row before, in
// front of other windows: a busy window may show it seconds after the notification.
func (d *desk) askToStop(w desktop.Window) {
	d.t.Helper()
	d.do("raise the window", w.Focus())
	d.selectedRow(w)
	d.do("press Delete", w.Key("Delete"))
	d.hasDangerButton(w, true)
}
