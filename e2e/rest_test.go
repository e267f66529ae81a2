//go:build linux

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// A window that nobody uses waits for events instead of looking for them 60 times a second, and shows
// at once what happens then.
func TestWindowRests(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	window := d.mainWindow()
	pid := windowPID(agent)
	rests := func() error {
		const over = 3 * time.Second
		before, err := switches(pid)
		if err != nil {
			return err
		}
		time.Sleep(over)
		after, err := switches(pid)
		if err == nil && after-before > 20*int(over/time.Second) { // Fyne's loop alone makes 60 a second
			err = fmt.Errorf("its main thread went to sleep %d times in %v", after-before, over)
		}
		return err
	}
	d.eventually("the window rests", rests)
	before := d.steady(window)
	d.listen("127.0.0.1:62893,127.0.0.1:62894")
	d.waitChanged("an opened port is shown", window, before)
	d.eventually("the window rests with an open port", rests)
	before = d.steady(window)
	d.do("select the next row", window.Key("Down"))
	d.waitChanged("a key is answered", window, before)
	d.eventually("the window rests again", rests)
	d.wantStatus(d.start("quit"), 0)
	d.noMainWindow()
}

// switches returns how often the main thread of a process has waited (proc_pid_status(5)).
func switches(pid int) (n int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("count the context switches of the window: %w", err)
	}
	_, rest, _ := strings.Cut(string(b), "\nvoluntary_ctxt_switches:")
	if _, err := fmt.Sscan(rest, &n); err != nil {
		return 0, fmt.Errorf("parse the context switches of the window: %w", err)
	}
	return n, nil
}
