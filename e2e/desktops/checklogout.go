//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// manager is a desktop's session manager, which starts the parts of the desktop.
type manager struct {
	command string
	ready   string // the program of the last part that it starts, which shows that the session has started
	logout  string // what the desktop's "Log out" runs
}

// Limits of a logout.
const (
	managerTime = 60 * time.Second // for a session manager to start, and to end after a logout
	mostEndTime = 2 * time.Second  // for Porthole to end after the session
)

// checkLogout ends the session with the window open, through the session manager if the desktop has one here: nothing of
// Porthole is left. The figure says how.
func (t *trial) checkLogout() (string, error) {
	m := t.desk.manager
	if m.command == "" {
		if _, err := t.openWindow(); err != nil {
			return "", err
		}
		return "", t.endSession()
	}
	if err := t.logIn(m); err != nil {
		return "", err
	}
	if _, err := t.openWindow(); err != nil {
		return "", err
	}
	if err := press(t, keyCtrl, '2'); err != nil { // the page to keep
		return "", err
	}
	time.Sleep(3 * time.Second) // the window sends its state every two seconds
	took, err := t.logOut(m)
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%s %.1f s", strings.Fields(m.command)[0], took.Seconds())
	if err := t.endSession(); err != nil {
		return figure, err
	}
	page, err := keptPage()
	if err == nil && page != "history" {
		err = fmt.Errorf("the page of the window was not kept: got %q", page)
	}
	return figure, err
}

// logIn replaces the parts of the desktop with those that the session manager starts.
func (t *trial) logIn(m manager) error {
	if _, err := t.run(t.ctx, program+" quit"); err != nil {
		return err
	}
	for _, p := range slices.Backward(t.desk.parts) {
		t.stop(p.name)
	}
	if err := t.startPart(part{"manager", m.command}); err != nil {
		return err
	}
	if err := within(managerTime, "the session manager starts "+m.ready, func() bool { return len(processesOf(m.ready)) > 0 }); err != nil {
		return err
	}
	time.Sleep(10 * time.Second) // it starts other programs
	return nil
}

// logOut logs out and returns the time until the session manager has ended.
func (t *trial) logOut(m manager) (time.Duration, error) {
	began := time.Now()
	if img, err := t.picture(); err == nil {
		save(img, "logout")
	}
	if _, err := t.start("logout", "exec "+m.logout); err != nil {
		return 0, err
	}
	select {
	case <-t.parts["manager"].done:
		return time.Since(began), nil
	case <-time.After(managerTime):
		return 0, fmt.Errorf("the session manager did not end within %v after the logout; %s", managerTime, describe(t))
	}
}

// endSession ends the display and the bus, as a display manager does, and waits until Porthole has ended.
func (t *trial) endSession() error {
	t.end()
	t.stop("bus")
	return within(mostEndTime, "all processes of Porthole end", func() bool { return len(processesOf(program)) == 0 })
}

// processesOf returns the processes that run a program, by the path or the name of its file.
func processesOf(name string) (pids []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is valid
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && (file == name || filepath.Base(file) == name) {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}

// keptPage returns the page of the window that Porthole has saved.
func keptPage() (string, error) {
	b, err := os.ReadFile(filepath.Join(home, ".local/state/porthole/window.json"))
	if err != nil {
		return "", fmt.Errorf("read the saved state of the window: %w", err)
	}
	var state struct{ Window struct{ Tab string } }
	if err := json.Unmarshal(b, &state); err != nil {
		return "", fmt.Errorf("read the saved state of the window: %w", err)
	}
	return state.Window.Tab, nil
}
