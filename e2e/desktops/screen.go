//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strings"
	"time"
)

// display is what shows a desktop: an X server or a Wayland compositor.
type display interface {
	// start starts it and sets the session's screen and environment.
	start(ctx context.Context, s *session) error
}

// screen is how the checks see and use a desktop.
type screen interface {
	picture() (*image.RGBA, error)
	move(to image.Point) error
	button(n int, down bool) error // 1 left, 2 middle, 3 right
	key(k key, down bool) error
	windows() ([]window, error)
	// cover opens another window in front of all others and gives it the focus.
	cover() (*cover, error)
	closeWindow(w window) error
	workspace(n int) error // shows workspace n, counted from 0
	// scale makes windows that open from now on this much larger.
	scale(s *session, factor float64) error
	end() // ends the session as a logout does
}

// window is a window of the desktop.
type window struct {
	id      uint32
	title   string
	active  bool            // it has the keyboard focus
	shown   bool            // it is on the visible workspace and not minimised
	content image.Rectangle // on the screen, without the frame; empty if unknown
	frame   image.Rectangle // with the frame; equal to content if it has none
}

// cover is another window in front of Porthole's.
type cover struct {
	close func()
	// token returns an activation token for a program that the window starts; nil if the display has none.
	token func() (string, error)
}

// key is a key by the keysym that it has without modifiers; see X11/keysymdef.h.
type key uint32

// Keys that are no characters.
const (
	keyReturn key = 0xff0d
	keyEscape key = 0xff1b
	keyUp     key = 0xff52
	keyDown   key = 0xff54
	keyCtrl   key = 0xffe3
)

// notTried is the reason why a check was not made.
type notTried string

func (n notTried) Error() string { return string(n) }

const betweenEvents = 30 * time.Millisecond

// click clicks at a point as a person does: it moves there, waits, and presses.
func click(s screen, at image.Point, button, times int) error {
	// Two steps: some panels ignore a pointer that arrives and presses at once.
	errs := []error{s.move(at.Add(image.Pt(1, 1)))}
	time.Sleep(4 * betweenEvents)
	errs = append(errs, s.move(at))
	time.Sleep(4 * betweenEvents)
	for range times {
		errs = append(errs, s.button(button, true))
		time.Sleep(betweenEvents)
		errs = append(errs, s.button(button, false))
		time.Sleep(2 * betweenEvents)
	}
	return errors.Join(errs...)
}

// press presses keys at once, such as Ctrl and a letter.
func press(s screen, keys ...key) error {
	var errs []error
	for _, k := range keys {
		errs = append(errs, s.key(k, true))
		time.Sleep(betweenEvents)
	}
	for i := len(keys) - 1; i >= 0; i-- {
		errs = append(errs, s.key(keys[i], false))
		time.Sleep(betweenEvents)
	}
	return errors.Join(errs...)
}

// typeText types ASCII letters and digits.
func typeText(s screen, text string) error {
	for _, r := range text {
		if err := press(s, key(r)); err != nil {
			return err
		}
	}
	return nil
}

// porthole returns Porthole's main window, if there is one.
func porthole(s screen) (window, bool) { return titled(s, "Porthole") }

// titled returns the window whose title begins with title.
func titled(s screen, title string) (window, bool) {
	all, err := s.windows()
	if err != nil {
		return window{}, false
	}
	for _, w := range all {
		if strings.HasPrefix(w.title, title) {
			return w, true
		}
	}
	return window{}, false
}

// describe lists the windows, for errors.
func describe(s screen) string {
	all, err := s.windows()
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, w := range all {
		parts = append(parts, fmt.Sprintf("%q active=%t shown=%t %v", w.title, w.active, w.shown, w.content))
	}
	return "windows: " + strings.Join(parts, "; ")
}
