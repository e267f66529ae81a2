package e2e

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"porthole/e2e/desktop"
)

// A new user tries Porthole: notification, card, row and process window of a page appear,
// and the page is taken away, also if the window is killed.
func TestTryIt(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("grace_period: 1s\nwatches:\n  - ports: 62893\n")
	agent := d.start()
	item := d.item(agent)
	for _, end := range []string{"closed", "killed"} {
		d.do("open the window", item.Click(d.step(), menuOpenWindow))
		window := d.mainWindow()
		d.steady(window)
		d.shot("offer")
		_, frame, err := windowPicture(d, window)
		d.do("find the window", err)
		d.do("click Try it", window.Click(frame.Dx()-84, frame.Dy()-42))
		d.note(noteOpen("62893", "porthole"))
		var page int
		d.eventually("the page has a process", func() error {
			if page = childOf(windowPID(agent)); page == 0 {
				return errors.New("the window process has no child")
			}
			return nil
		})
		process := d.window(processTitle("porthole", page))
		d.menuHas(item, menuOpen("62893", "porthole"))
		d.steady(process)
		d.shot("process")
		d.do("close the process window", process.Close())
		d.noWindow(processTitle("porthole", page))
		d.selectedRow(window)
		d.shot("row-and-card")
		if end == "closed" {
			d.closeMainWindow()
		} else {
			d.do("kill the window process", syscall.Kill(windowPID(agent), syscall.SIGKILL))
		}
		d.waitGone(page)
		d.note(noteClosed("62893", "porthole"))
		d.menuHas(item, menuFreeAfter("62893", "porthole"))
	}
	d.eventually("both pages are reported", func() error {
		got := map[string]int{}
		for _, n := range d.rec.Notes() {
			got[strings.SplitN(n.Summary, ":", 2)[0]]++
		}
		if got[noteOpen("62893")] < 2 || got[noteClosed("62893")] < 2 { // more if an owner was found late
			return fmt.Errorf("got the notifications %v, want 2 about the opened port and 2 about the closed one", got)
		}
		return nil
	})
	d.quit(agent)
}
