package e2e

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// The process window starts Wireshark, here a script in its place, and shows the
// process's environment.
func TestInspectTraffic(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	dir := t.TempDir()
	arguments := filepath.Join(dir, "arguments")
	wireshark := "#!/bin/sh\necho \"$@\" >" + arguments + ".new; mv " + arguments + ".new " + arguments + "\n"
	if err := os.WriteFile(filepath.Join(dir, "wireshark"), []byte(wireshark), 0o755); err != nil {
		t.Fatal(err)
	}
	server := d.project("acme-web", "web", "127.0.0.1:62893")
	item := d.item(d.startWith([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}))
	window := d.mainWindow()
	d.menuHas(item, menuOpen("62893", "web · acme-web"))
	d.do("select", item.Click(d.step(), menuOpen("62893", "web · acme-web")))
	d.steady(window)
	d.do("open the process", window.Key("Return"))
	process := d.window(processTitle("web", server.pid()))
	d.steady(process)
	for range 8 { // Open in browser, Copy URL, What answers there?, Copy command, Open folder, Explain, Show traffic…, Inspect traffic
		d.do("go to the next button", process.Key("Tab"))
	}
	d.do("press Inspect traffic", process.Key("Return"))
	d.eventually("Wireshark starts", func() error {
		got, err := os.ReadFile(arguments)
		if err == nil && string(got) != wiresharkArguments {
			err = fmt.Errorf("got the arguments %q; want %q", got, wiresharkArguments)
		}
		return err
	})
	d.do("go to the next button", process.Key("Tab"))
	d.do("press Show environment", process.Key("Return"))
	d.steady(process)
	d.shot("environment")
}

// Text in the process window can be selected with the mouse and copied.
func TestSelectAndCopyText(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	server := d.project("acme-web", "web", "127.0.0.1:62893")
	item := d.item(d.start())
	window := d.mainWindow()
	d.menuHas(item, menuOpen("62893", "web · acme-web"))
	d.do("select", item.Click(d.step(), menuOpen("62893", "web · acme-web")))
	d.steady(window)
	d.do("open the process", window.Key("Return"))
	process := d.window(processTitle("web", server.pid()))
	d.steady(process)
	// The position of the command depends on the length of the chain of parents.
	d.findText(process, image.Pt(130, 400), 480, func(got string) bool { return got == "web --serve" })
	d.shot("selected")
	d.do("close the window", process.Key("Escape"))
	d.noWindow(process.Title)
}

// findText looks for a line of text in a window: it starts at the point from, drags the
// mouse to the right, and copies the selection. It repeats that further down until the
// copied text is the wanted one, or bottom is reached.
func (d *desk) findText(w desktop.Window, from image.Point, bottom int, want func(string) bool) {
	d.t.Helper()
	const step = 8
	y := from.Y
	d.eventually("a text is selected and copied", func() error {
		if err := errors.Join(w.Drag(image.Pt(from.X, y), image.Pt(600, y)), w.Key("ctrl+c")); err != nil {
			return err
		}
		var got string
		for range 5 { // the program handles the key a moment later
			time.Sleep(40 * time.Millisecond)
			var err error
			if got, err = d.Clipboard(d.step()); err != nil {
				return err
			}
			if want(got) {
				return nil
			}
		}
		err := fmt.Errorf("got %q at %d", got, y)
		y = from.Y + (y-from.Y+step)%(bottom-from.Y)
		return err
	})
}
