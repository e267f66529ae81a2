//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"
)

// checkCovered covers the window with another and brings it back; see raises.
func (t *trial) checkCovered() (string, error) {
	if _, err := t.openWindow(); err != nil {
		return "", err
	}
	return t.raises(func() (err error) {
		t.covering, err = t.cover()
		return err
	})
}

// checkWorkspace goes to another workspace and gets the window there; see raises.
func (t *trial) checkWorkspace() (string, error) {
	if _, err := t.openWindow(); err != nil {
		return "", err
	}
	return t.raises(func() (err error) {
		if err := t.leave(); err != nil {
			return err
		}
		if t.givesTokens() { // to windows with the focus
			t.covering, err = t.cover()
		}
		return err
	})
}

// leave shows a workspace without the window.
func (t *trial) leave() error {
	for _, n := range []int{1, 0} { // the window is on one of them
		if err := t.goTo(n); err != nil {
			return err
		}
		if within(4*time.Second, "", func() bool { w, ok := porthole(t); return ok && !(w.active && w.shown) }) == nil {
			return nil
		}
	}
	return errors.New("both workspaces show the window")
}

// givesTokens reports whether the other window of cover is a launcher.
func (t *trial) givesTokens() bool {
	switch t.screen.(type) {
	case *sway, *kwinScreen, *wayfire:
		return true
	}
	return false
}

// raises hides the window with hide and brings it back: with a second start, on Wayland with one that has an activation
// token as well, and with a click on the icon. The figure is the time of the second starts.
func (t *trial) raises(hide func() error) (string, error) {
	if err := hide(); err != nil {
		return "", err
	}
	took, err := t.second()
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d ms", took.Milliseconds())
	if t.givesTokens() {
		took, err := t.secondWithToken(hide)
		if err != nil {
			return figure, err
		}
		figure += fmt.Sprintf(", %d ms with a token", took.Milliseconds())
	}
	if t.icon.Empty() || t.desk.leftMenu {
		return figure, nil
	}
	t.uncover()
	if err := hide(); err != nil {
		return figure, err
	}
	if err := t.clickOpens(1, 1); err != nil {
		return figure, fmt.Errorf("click on the icon: %w", err)
	}
	return figure, nil
}

// secondWithToken hides the window again and starts the program from the other window.
func (t *trial) secondWithToken(hide func() error) (time.Duration, error) {
	t.uncover()
	if err := hide(); err != nil {
		return 0, err
	}
	var token string
	var err error
	for range 3 { // a window that has just appeared may miss a click
		if w, ok := titled(t, coverTitle); ok {
			if err := click(t, center(w.content), 1, 1); err != nil {
				return 0, err
			}
		}
		time.Sleep(300 * time.Millisecond)
		if token, err = t.covering.token(); err == nil {
			break
		}
	}
	if err != nil {
		return 0, err
	}
	took, err := t.second("XDG_ACTIVATION_TOKEN=" + token)
	if err != nil {
		return 0, fmt.Errorf("with the activation token %q: %w", token, err)
	}
	return took, nil
}
