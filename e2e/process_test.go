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

// From a process window: Wireshark, by a stand-in. The environment is for the picture.
func TestTheProcessWindowInspectsTheTraffic(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	wireshark := "#!/bin/sh\necho \"$@\" >" + said + ".new; mv " + said + ".new " + said + "\n"
	if err := os.WriteFile(filepath.Join(dir, "wireshark"), []byte(wireshark), 0o755); err != nil {
		t.Fatal(err)
	}
	server := d.project("acme-web", "web", "127.0.0.1:62893")
	item := d.item(d.startWith([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}))
	window := d.window("Porthole")
	d.menuHas(item, "● 62893 web · acme-web")
	d.do("select", item.Click(d.step(), "● 62893 web · acme-web"))
	d.steady(window)
	d.do("open the process", window.Key("Return"))
	process := d.window(fmt.Sprintf("web %d – Porthole", server.pid()))
	d.steady(process)
	for range 6 { // Open in browser, Copy URL, Copy command, Open folder, Explain, Inspect traffic
		d.do("go on", process.Key("Tab"))
	}
	d.do("press Inspect traffic", process.Key("Return"))
	d.eventually("Wireshark is opened", func() error {
		got, err := os.ReadFile(said)
		if want := "-k -i lo -f tcp port 62893\n"; err == nil && string(got) != want {
			err = fmt.Errorf("with %q; want %q", got, want)
		}
		return err
	})
	d.do("go on", process.Key("Tab"))
	d.do("press Show environment", process.Key("Return"))
	d.steady(process)
	d.shot("environment")
}

// With the real mouse; Fyne's keys for that, and ours for the window.
func TestTheMouseSelectsATextOfTheProcessWindow(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	server := d.project("acme-web", "web", "127.0.0.1:62893")
	item := d.item(d.start())
	window := d.window("Porthole")
	d.menuHas(item, "● 62893 web · acme-web")
	d.do("select", item.Click(d.step(), "● 62893 web · acme-web"))
	d.steady(window)
	d.do("open the process", window.Key("Return"))
	process := d.window(fmt.Sprintf("web %d – Porthole", server.pid()))
	d.steady(process)
	const first, last, step = 400, 480, 8 // how long the chain of parents is, and so where the command stands, is the machine's
	y := first
	d.eventually("the command is selected and copied", func() error {
		if err := errors.Join(process.Drag(image.Pt(130, y), image.Pt(600, y)), process.Key("ctrl+c")); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
		got, err := d.Clipboard(d.step())
		if err == nil && got != "web --serve" {
			err = fmt.Errorf("copied %q at %d", got, y)
			y = first + (y-first+step)%(last-first)
		}
		return err
	})
	d.shot("selected")
	d.do("close the window", process.Key("Escape"))
	d.do("see it gone", d.WaitNoWindow(d.step(), process.Title))
}
