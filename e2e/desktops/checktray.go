//go:build linux

package main

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"time"

	notes "porthole/e2e/desktop"
)

// checkIcon finds the icon on the screen: what changes when notifications are paused, and changes back.
func (t *trial) checkIcon() (string, error) {
	var err error
	t.icon, err = t.findIcon()
	if err != nil {
		return "", err
	}
	img, err := t.picture()
	if err == nil {
		t.calm = img
		save(img.SubImage(t.icon.Inset(-8)), "icon")
	}
	return "", err
}

// Sizes of tray icons in pixels.
const (
	leastIcon = 6
	mostIcon  = 72
)

func (t *trial) findIcon() (image.Rectangle, error) {
	if err := within(20*time.Second, "Porthole's icon is on the bus", func() bool {
		items, err := t.tray.Items(t.ctx)
		return err == nil && slices.ContainsFunc(items, func(i notes.Item) bool { return slices.Contains(agents(), i.PID) })
	}); err != nil {
		return image.Rectangle{}, err
	}
	time.Sleep(2 * time.Second)
	before, err := t.picture()
	if err != nil {
		return image.Rectangle{}, err
	}
	if _, err := t.run(t.ctx, program+" pause 10m"); err != nil {
		return image.Rectangle{}, err
	}
	var found []image.Rectangle
	failed := within(10*time.Second, "the icon shows that notifications are paused", func() bool {
		now, err := t.picture()
		if err != nil {
			return false
		}
		found = slices.DeleteFunc(changes(before, now), func(r image.Rectangle) bool {
			return max(r.Dx(), r.Dy()) < leastIcon || max(r.Dx(), r.Dy()) > mostIcon
		})
		return len(found) > 0
	})
	_, err = t.run(t.ctx, program+" resume")
	if err := errors.Join(failed, err); err != nil {
		return image.Rectangle{}, err
	}
	var icon image.Rectangle
	err = within(10*time.Second, "the icon changes back", func() bool {
		now, err := t.picture()
		if err != nil {
			return false
		}
		for _, r := range found {
			if same(before, now, r) {
				icon = r
				return true
			}
		}
		return false
	})
	return icon, err
}

// checkTooltip moves the pointer over the icon.
func (t *trial) checkTooltip() (string, error) {
	before, err := t.picture()
	if err != nil {
		return "", err
	}
	at := center(t.icon)
	if err := errors.Join(t.move(at.Add(image.Pt(3, 3))), t.move(at)); err != nil {
		return "", err
	}
	place, img, err := t.appeared("a tooltip appears", before, image.Pt(60, 12), 6*time.Second)
	if err != nil {
		if t.desk.noTooltip != "" {
			return "", notTried(t.desk.noTooltip)
		}
		return "", err
	}
	save(img, "tooltip")
	words, err := read(img, place.Inset(-4))
	if err != nil {
		return "", err
	}
	if !strings.Contains(text(words), "watched") {
		return "", fmt.Errorf("the tooltip at %v says %.200q", place, text(words))
	}
	return "", nil
}

// clickOpens clicks the icon and expects the window.
func (t *trial) clickOpens(button, times int) error {
	if err := click(t, center(t.icon), button, times); err != nil {
		return err
	}
	_, err := t.waitWindow("the window opens")
	return err
}

func (t *trial) checkLeft() (string, error) {
	if t.desk.leftMenu {
		if err := t.clickMenu(1); err != nil {
			return "", err
		}
		return "menu", nil
	}
	return "", t.clickOpens(1, 1)
}

func (t *trial) checkMiddle() (string, error) { return "", t.clickOpens(2, 1) }
func (t *trial) checkDouble() (string, error) { return "", t.clickOpens(1, 2) }

// checkMenu opens the menu and chooses "Open Porthole".
func (t *trial) checkMenu() (string, error) { return "", t.clickMenu(3) }

func (t *trial) clickMenu(button int) error {
	place, img, err := t.openMenu(button)
	if err != nil {
		return err
	}
	save(img, "menu")
	words, err := read(img, place.Inset(-2))
	if err != nil {
		return err
	}
	for _, label := range []string{"Quit Porthole", "Settings"} {
		if _, ok := find(words, label); !ok {
			return fmt.Errorf("the menu has no %q; it says %.300q", label, text(words))
		}
	}
	open, ok := find(words, "Open Porthole")
	if !ok {
		return fmt.Errorf("the menu has no %q; it says %.300q", "Open Porthole", text(words))
	}
	if err := click(t, center(open), 1, 1); err != nil {
		return err
	}
	_, err = t.waitWindow("“Open Porthole” opens the window")
	return err
}

// openMenu clicks the icon and returns where a menu appears.
func (t *trial) openMenu(button int) (image.Rectangle, *image.RGBA, error) {
	before, err := t.picture()
	if err != nil {
		return image.Rectangle{}, nil, err
	}
	if err := click(t, center(t.icon), button, 1); err != nil {
		return image.Rectangle{}, nil, err
	}
	return t.appeared("a menu appears", before, image.Pt(80, 80), 10*time.Second)
}

// checkLive opens the watched port while the menu is open: the menu stays and its words change.
func (t *trial) checkLive() (string, error) {
	// A popup might cover the menu.
	restore, err := t.setting("notifications: false")
	if err != nil {
		return "", err
	}
	defer restore()
	place, _, err := t.openMenu(3)
	if err != nil {
		return "", err
	}
	if err := t.move(image.Pt(center(place).X, place.Min.Y+4)); err != nil { // away from tooltips: Plasma's clock has one
		return "", err
	}
	time.Sleep(time.Second)
	before, err := t.picture()
	if err != nil {
		return "", err
	}
	if err := t.serve(); err != nil {
		return "", err
	}
	err = within(10*time.Second, "the open menu changes", func() bool {
		now, err := t.picture()
		return err == nil && slices.ContainsFunc(changes(before, now), func(r image.Rectangle) bool { return r.Overlaps(place) })
	})
	if err != nil {
		return "", err
	}
	time.Sleep(2 * time.Second)
	img, err := t.picture()
	if err != nil {
		return "", err
	}
	save(img, "live")
	words, err := read(img, place.Inset(-2))
	if err != nil {
		return "", err
	}
	for _, label := range []string{"Open Porthole", "Quit Porthole"} {
		if _, ok := find(words, label); !ok {
			return "", fmt.Errorf("the menu has no %q after a change: it closed, or is cut; it says %.300q", label, text(words))
		}
	}
	if strings.Contains(text(words), watchedPort+" free") {
		return "", fmt.Errorf("the menu still says that the port is free: %.300q", text(words))
	}
	return "", nil
}

// checkPanel restarts the panel: the icon is back.
func (t *trial) checkPanel() (string, error) {
	if t.desk.panel == "" {
		return "", notTried("the panel is a part of the desktop's shell")
	}
	t.stop(t.desk.panel)
	time.Sleep(time.Second)
	i := slices.IndexFunc(t.desk.parts, func(p part) bool { return p.name == t.desk.panel })
	if err := t.startPart(t.desk.parts[i]); err != nil {
		return "", err
	}
	if err := within(partTimeout, "the panel shows tray icons", func() bool {
		items, err := t.tray.Items(t.ctx)
		return err == nil && len(items) > 0
	}); err != nil {
		return "", err
	}
	time.Sleep(5 * time.Second)
	_, err := t.findIcon()
	return "", err
}
