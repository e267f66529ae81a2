//go:build linux

package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	notes "porthole/e2e/desktop"
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
	if err := t.move(image.Pt(center(place).X, place.Max.Y-4)); err != nil { // away from the tooltip
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

// checkCovered covers the window with another and brings it back: with a second start and with a click on the icon.
func (t *trial) checkCovered() (string, error) {
	if _, err := t.openWindow(); err != nil {
		return "", err
	}
	return t.raises(func() error {
		cover, err := t.cover()
		t.covering = cover
		return err
	})
}

// checkWorkspace goes to another workspace and gets the window there.
func (t *trial) checkWorkspace() (string, error) {
	if _, err := t.openWindow(); err != nil {
		return "", err
	}
	return t.raises(func() error {
		for _, n := range []int{1, 0} { // the window is on one of them
			if err := t.goTo(n); err != nil {
				return err
			}
			if within(4*time.Second, "", func() bool { w, ok := porthole(t); return ok && !(w.active && w.shown) }) == nil {
				return nil
			}
		}
		return errors.New("both workspaces show the window")
	})
}

// raises hides the window with hide and brings it back in both ways.
func (t *trial) raises(hide func() error) (string, error) {
	if err := hide(); err != nil {
		return "", err
	}
	took, err := t.second()
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d ms", took.Milliseconds())
	if t.icon.Empty() || t.desk.leftMenu {
		return figure, nil
	}
	if t.covering != nil {
		t.covering()
	}
	if err := hide(); err != nil {
		return "", err
	}
	if err := t.clickOpens(1, 1); err != nil {
		return "", fmt.Errorf("click on the icon: %w", err)
	}
	return figure, nil
}

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

// Figures that the agent must keep.
const (
	costTime   = 20 * time.Second
	mostMemory = 32.0 // MB
	mostCPU    = 0.1  // percent of a core
)

// checkCost measures the idle agent.
func (t *trial) checkCost() (string, error) {
	pids := agents()
	if len(pids) != 1 {
		return "", fmt.Errorf("there are %d agents", len(pids))
	}
	time.Sleep(5 * time.Second)
	before, err := cpuTime(pids[0])
	if err != nil {
		return "", err
	}
	time.Sleep(costTime)
	after, err := cpuTime(pids[0])
	if err != nil {
		return "", err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pids[0]))
	if err != nil {
		return "", fmt.Errorf("read the agent's memory: %w", err)
	}
	memory, own := megabytes(string(status), "VmRSS:"), megabytes(string(status), "RssAnon:")
	percent := 100 * float64(after-before) / float64(costTime)
	figure := fmt.Sprintf("%.2f %%; %.0f MB", percent, memory)
	if percent > mostCPU*1.05 || memory == 0 || memory > mostMemory+0.5 {
		return figure, fmt.Errorf("more than %.1f %% of a core, or than %.0f MB of resident memory; %.0f MB of it are private to the process, the rest are pages of its file", mostCPU, mostMemory, own)
	}
	return figure, nil
}

// cpuTime returns the CPU time of all threads of a process. The first number of schedstat is in
// nanoseconds (Documentation/scheduler/sched-stats.rst).
func cpuTime(pid int) (time.Duration, error) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is valid
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		sum += time.Duration(ns)
	}
	if sum == 0 {
		return 0, errors.New("the agent has no CPU time")
	}
	return sum, nil
}

// megabytes returns a field of /proc/PID/status (proc(5)), which is in kB; 0 if it is missing.
func megabytes(status, field string) float64 {
	for line := range strings.Lines(status) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == field {
			kb, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
			return float64(kb) / 1024
		}
	}
	return 0
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

// checkLogout ends the session with the window open: nothing of Porthole is left.
func (t *trial) checkLogout() (string, error) {
	if _, err := t.openWindow(); err != nil {
		return "", err
	}
	if t.desk.logout != "" {
		if _, err := t.run(t.ctx, t.desk.logout); err != nil {
			return "", err
		}
		time.Sleep(5 * time.Second)
	}
	t.end()
	t.stop("bus")
	return "", within(15*time.Second, "all processes of Porthole end", func() bool {
		links, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is valid
		return !slices.ContainsFunc(links, func(link string) bool {
			file, err := os.Readlink(link)
			return err == nil && file == program
		})
	})
}
