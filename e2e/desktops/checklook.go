//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// checkTheme switches the desktop between dark and light while the window is open.
func (t *trial) checkTheme() (string, error) {
	if !t.offers("org.freedesktop.portal.Desktop") {
		return "", notTried("no settings portal is installed")
	}
	w, err := t.openWindow()
	if err != nil {
		return "", err
	}
	for _, mode := range []string{"dark", "light", "dark"} {
		command := t.desk.themes(mode)
		if command == "" {
			return "", notTried("the desktop has no such setting")
		}
		if _, err := t.run(t.ctx, command); err != nil {
			return "", err
		}
		var level int
		err := within(15*time.Second, "the window becomes "+mode, func() bool {
			img, err := t.picture()
			if err != nil {
				return false
			}
			level = brightness(img, areaOf(w, img))
			return mode == "dark" && level < 90 || mode == "light" && level > 160
		})
		time.Sleep(time.Second)
		if img, failed := t.picture(); failed == nil {
			save(img, "theme-"+mode)
		}
		if err != nil {
			return "", fmt.Errorf("%w: its brightness is %d of 255", err, level)
		}
	}
	if err := t.closeWindow(w); err != nil {
		return "", err
	}
	if err := t.waitClosed("the window closes"); err != nil {
		return "", err
	}
	time.Sleep(2 * time.Second)
	img, err := t.picture() // of the desktop in another theme
	if err == nil {
		t.calm = img
	}
	return "", err
}

// offers reports whether the bus can start a service.
func (t *trial) offers(service string) bool {
	var names []string
	err := t.bus.BusObject().CallWithContext(t.ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names)
	return err == nil && slices.Contains(names, service)
}

// checkScale opens the window at scale 1, 1.5 and 2 and compares how wide a text is.
func (t *trial) checkScale() (string, error) {
	var base float64
	for _, factor := range []float64{1, 1.5, 2} {
		if err := t.scale(t.session, factor); err != nil {
			return "", err
		}
		w, err := t.openWindow()
		if err != nil {
			return "", err
		}
		time.Sleep(2 * time.Second)
		img, err := t.picture()
		if err != nil {
			return "", err
		}
		save(img, fmt.Sprintf("scale-%g", factor))
		words, err := read(img, img.Bounds())
		if err != nil {
			return "", err
		}
		line, ok := find(words, "Nothing listens on loopback")
		if !ok {
			return "", fmt.Errorf("at scale %g the page cannot be read: %.300q", factor, text(words))
		}
		_, history := find(words, "History")
		_, settings := find(words, "Settings")
		if !history && !settings {
			return "", fmt.Errorf("at scale %g the pages at the top are not on the screen: %.300q", factor, text(words))
		}
		width := float64(line.Dx())
		if base == 0 {
			base = width
		}
		if ratio := width / base; ratio < factor*0.93 || ratio > factor*1.07 {
			return "", fmt.Errorf("at scale %g, texts are %.2f times as wide as at 1", factor, ratio)
		}
		if err := t.closeWindow(w); err != nil {
			return "", err
		}
		if err := t.waitClosed("the window closes"); err != nil {
			return "", err
		}
	}
	return "", t.scale(t.session, 1)
}
