//go:build linux

package main

import (
	"fmt"
	"image"
	"strings"
	"time"
)

// alertsPerMinute is how many notifications about one port Porthole sends in a minute.
const alertsPerMinute = 4

// popup starts a server and returns where the notification about it is.
func (t *trial) popup() (image.Rectangle, *image.RGBA, error) {
	if n := len(t.events) - 1 - (alertsPerMinute - 2); n >= 0 { // two are about the start and the end of the server
		time.Sleep(time.Until(t.events[n].Add(time.Minute + time.Second)))
	}
	t.closeNotifications() // one about the last server may have come late
	before, err := t.picture()
	if err != nil {
		return image.Rectangle{}, nil, err
	}
	sent := len(t.notes.Notes())
	if err := t.serve(); err != nil {
		return image.Rectangle{}, nil, err
	}
	if err := within(10*time.Second, "Porthole sends a notification", func() bool { return len(t.notes.Notes()) > sent }); err != nil {
		return image.Rectangle{}, nil, err
	}
	return t.appeared("a notification appears", before, leastPopup, 15*time.Second)
}

// checkNotification reads the notification about a new server and looks for Porthole's icon in it.
func (t *trial) checkNotification() (string, error) {
	place, img, err := t.popup()
	if err != nil {
		return "", err
	}
	save(img, "notification")
	words, err := read(img, place.Inset(-2))
	if err != nil {
		return "", err
	}
	if !strings.Contains(text(words), watchedPort) {
		return "", fmt.Errorf("the notification does not show the port; it says %.300q", text(words))
	}
	if n := countBrass(img, place); n < 30 {
		return "", fmt.Errorf("the notification has no icon (%d pixels of brass)", n)
	}
	return "", nil
}

// checkButtons clicks "Show" in a notification, or the notification itself if it draws no buttons: the window opens.
func (t *trial) checkButtons() (string, error) {
	place, _, err := t.popup()
	if err != nil {
		return "", err
	}
	if err := t.move(center(place)); err != nil { // some show their buttons, and none expires, under the pointer
		return "", err
	}
	time.Sleep(time.Second)
	img, err := t.picture()
	if err != nil {
		return "", err
	}
	save(img, "buttons")
	var words []word
	for _, around := range []int{2, 80} { // the popup as it was, and one that has grown
		more, err := read(img, place.Inset(-around))
		if err != nil {
			return "", err
		}
		words = append(words, more...)
	}
	at, mouse, figure := center(place), 1, "click"
	if t.desk.noteButton != 0 {
		mouse, figure = t.desk.noteButton, "middle click"
	}
	if button, ok := find(words, "Show"); ok {
		at, mouse, figure = center(button), 1, ""
		if _, ok := find(words, "Stop"); !ok { // LXQt cuts the label
			return "", fmt.Errorf("the notification has no button “Stop watching”; it says %.300q", text(words))
		}
	}
	if err := click(t, at, mouse, 1); err != nil {
		return "", err
	}
	_, err = t.waitWindow("the window opens")
	return figure, err
}

// checkAgain waits until a notification has expired and starts the server again: there is a popup again.
func (t *trial) checkAgain() (string, error) {
	before, err := t.picture()
	if err != nil {
		return "", err
	}
	place, _, err := t.popup()
	if err != nil {
		return "", err
	}
	gone := func() bool {
		now, err := t.picture()
		return err == nil && same(before, now, place)
	}
	if within(40*time.Second, "the notification expires", gone) != nil {
		return "", notTried("notifications stay until they are closed")
	}
	t.unserve()
	time.Sleep(6 * time.Second) // the grace period, and the notification about the end
	if within(60*time.Second, "the notification about the end expires", gone) != nil {
		return "", notTried("notifications stay until they are closed")
	}
	_, img, err := t.popup()
	if err == nil {
		save(img, "again")
	}
	return "", err
}
