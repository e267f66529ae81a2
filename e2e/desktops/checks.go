//go:build linux

package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"time"
)

// check is a column of the table.
type check struct {
	name  string
	title string
	table string // see tables
	tray  bool   // it needs a tray icon
	last  bool   // nothing can follow it on the desktop
	// run returns nil if the desktop and Porthole do what the user expects, notTried, or what is wrong. The figure is shown
	// in the table.
	run func(*trial) (figure string, err error)
}

// checks are made in this order. Each starts and ends with Porthole hidden.
var checks = []check{
	{"start", "start", tableWindow, false, false, (*trial).checkStart},
	{"keyboard", "keyboard", tableWindow, false, false, (*trial).checkKeyboard},
	{"close", "close", tableWindow, false, false, (*trial).checkClose},
	{"icon", "icon", tableTray, true, false, (*trial).checkIcon},
	{"tooltip", "tooltip", tableTray, true, false, (*trial).checkTooltip},
	{"left", "left", tableTray, true, false, (*trial).checkLeft},
	{"middle", "middle", tableTray, true, false, (*trial).checkMiddle},
	{"double", "double", tableTray, true, false, (*trial).checkDouble},
	{"menu", "right: menu", tableTray, true, false, (*trial).checkMenu},
	{"notification", "notification", tableNotes, false, false, (*trial).checkNotification},
	{"buttons", "its buttons", tableNotes, false, false, (*trial).checkButtons},
	{"covered", "raise: covered", tableWindow, false, false, (*trial).checkCovered},
	{"workspace", "raise: workspace", tableWindow, false, false, (*trial).checkWorkspace},
	{"theme", "dark, light", tableWindow, false, false, (*trial).checkTheme},
	{"scale", "scale 1.5, 2", tableWindow, false, false, (*trial).checkScale},
	{"cost", "CPU; memory", tableSession, false, false, (*trial).checkCost},
	{"live", "live menu", tableTray, true, false, (*trial).checkLive},
	{"again", "reopened", tableNotes, false, false, (*trial).checkAgain},
	{"panel", "panel restart", tableTray, true, false, (*trial).checkPanel},
	{"logout", "logout", tableSession, false, true, (*trial).checkLogout},
}

// Colours of Porthole's pictures.
var (
	accentDark  = color.RGBA{0x2d, 0xd4, 0xbf, 0xff} // the accent colour of the dark theme
	accentLight = color.RGBA{0x0b, 0x7d, 0x72, 0xff} // and of the light one
)

// checkStart starts Porthole through its desktop entry: the window appears and is drawn.
func (t *trial) checkStart() (string, error) {
	if err := t.launch(); err != nil {
		return "", err
	}
	w, err := t.waitWindow("the window opens")
	if err != nil {
		return "", err
	}
	err = within(20*time.Second, "the window is drawn", func() bool {
		img, err := t.picture()
		if err != nil {
			return false
		}
		w, _ = porthole(t)
		area := w.content
		if area.Empty() {
			area = img.Bounds()
		}
		return count(img, area, accentDark)+count(img, area, accentLight) > 20
	})
	time.Sleep(2 * time.Second)
	if img, failed := t.picture(); failed == nil {
		save(img, "start")
	}
	if w, ok := porthole(t); err == nil && ok && !w.frame.In(image.Rectangle{Max: screenSize}) {
		err = fmt.Errorf("the window is at %v, which is not all on the screen of %v", w.frame, screenSize)
	}
	return "", err
}

// unusualPort is a port that the screen shows only if it was typed.
const unusualPort = "43110"

// checkKeyboard types into the filter, and closes the window with Ctrl+W.
func (t *trial) checkKeyboard() (string, error) {
	w, err := t.openWindow()
	if err != nil {
		return "", err
	}
	if err := press(t, keyCtrl, 'f'); err != nil {
		return "", err
	}
	time.Sleep(500 * time.Millisecond)
	if err := typeText(t, unusualPort); err != nil {
		return "", err
	}
	time.Sleep(2 * time.Second)
	img, err := t.picture()
	if err != nil {
		return "", err
	}
	save(img, "keyboard")
	words, err := read(img, areaOf(w, img))
	if err != nil {
		return "", err
	}
	if !strings.Contains(text(words), unusualPort) {
		return "", fmt.Errorf("the window does not show the typed %s but %.300s", unusualPort, text(words))
	}
	if err := press(t, keyEscape); err != nil {
		return "", err
	}
	time.Sleep(300 * time.Millisecond)
	if err := press(t, keyCtrl, 'w'); err != nil {
		return "", err
	}
	return "", t.waitClosed("Ctrl+W closes the window")
}

// areaOf is where a window is; the whole screen if that is unknown.
func areaOf(w window, img *image.RGBA) image.Rectangle {
	if w.content.Empty() {
		return img.Bounds()
	}
	return w.content
}

func (t *trial) waitClosed(what string) error {
	return within(10*time.Second, what, func() bool { _, ok := porthole(t); return !ok })
}

// checkClose clicks the close button of the window's frame, which is rightmost in the themes of all desktops here.
func (t *trial) checkClose() (string, error) {
	w, err := t.openWindow()
	if err != nil {
		return "", err
	}
	bar := w.content.Min.Y - w.frame.Min.Y
	if bar < 10 {
		return "", notTried("the desktop draws no buttons in window frames")
	}
	for _, right := range []int{14, 22, 8, 30} {
		at := image.Pt(w.frame.Max.X-right, w.frame.Min.Y+bar/2)
		if err := click(t, at, 1, 1); err != nil {
			return "", err
		}
		if within(3*time.Second, "", func() bool { _, ok := porthole(t); return !ok }) == nil {
			if len(agents()) == 0 {
				return "", errors.New("the agent ended with the window")
			}
			return "", nil
		}
		if now, ok := porthole(t); !ok || now.frame != w.frame {
			return "", fmt.Errorf("a click at the right end of the frame did not close the window; %s", describe(t))
		}
	}
	return "", errors.New("clicks at the right end of the frame did not close the window")
}
