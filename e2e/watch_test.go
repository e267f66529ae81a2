package e2e

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"porthole/e2e/desktop"
	"porthole/internal/fakebus"
	"porthole/ui/tray"
)

func TestRestartIsOneNotification(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("grace_period: 6s\nwatches:\n  - ports: 62893\n")
	d.item(d.start("--hidden"))
	first := d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
	first.close()
	second := d.listen("127.0.0.1:62893")
	d.note(noteRestarted("62893", serverName()))
	second.close()
	d.note(noteClosed("62893", serverName())) // the grace time of the first close has ended too
	d.wantNotes(noteOpen("62893"), noteRestarted("62893"), noteClosed("62893"))
}

func TestOwnerChange(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	item := d.item(d.start("--hidden"))
	giver := d.serve(d.program("giver"), "/", "127.0.0.1:62893")
	d.note(noteOpen("62893", "giver"))
	d.wantIcon(item, tray.Icon{Level: 4, Dot: true})
	taker := giver.command(d, "pass "+d.program("taker"))
	d.note(noteOwnerChanged("62893", "giver", "taker"))
	d.wantIcon(item, tray.Icon{Level: 4, Alert: true})
	d.do("open the window", item.Click(d.step(), menuOpenWindow))
	d.mainWindow()
	d.wantIcon(item, tray.Icon{Level: 4})
	giver.close()
	d.waitGone(taker)
	d.note(noteClosed("62893", "taker"))
	d.wantNotes(noteOpen("62893"), noteOwnerChanged("62893"), noteClosed("62893"))
}

func TestExposureChange(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	item := d.item(d.start("--hidden"))
	server := d.listen("127.0.0.1:62893")
	d.note(noteOpen("62893"))
	d.wantIcon(item, tray.Icon{Level: 4, Dot: true})
	server.command(d, "listen 0.0.0.0:62893")
	d.note(noteExposed("62893"))
	d.wantIcon(item, tray.Icon{Level: 4, Alert: true})
	server.close()
	d.note(noteClosed("62893"))
	d.wantIcon(item, tray.Icon{Alert: true}) // the window has not shown it
	d.wantNotes(noteOpen("62893"), noteExposed("62893"), noteClosed("62893"))
}

func TestTwoHundredPortsAtOnce(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("grace_period: 1s\nwatches:\n  - ports: 20000-20200\n")
	middle := d.serve(d.program("middle"), "/", "127.0.0.1:20100")
	item := d.item(d.start())
	window := d.mainWindow()
	d.menuHas(item, menuOpen("20100", "middle"))
	var addresses []string
	for port := 20000; port <= 20200; port++ {
		if port != 20100 {
			addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	server := d.listen(strings.Join(addresses, ","))
	d.note(noteManyOpened(200, "20000", "20001"))
	d.menuHas(item, menuMore(191))

	// The window has 100 rows above the one in the middle and 100 below it.
	d.do("filter", window.Type("20000-20200"))
	d.do("leave the filter", window.Key("Down"))
	d.steady(window)
	d.shot("two-hundred")
	for _, path := range [][]string{{"Home", "Down"}, {"End", "Up"}} {
		keys := append(path[:1:1], slices.Repeat(path[1:], 100)...)
		d.do("go to the row in the middle and open it", window.Key(append(keys, "Return")...))
		title := processTitle("middle", middle.pid())
		process := d.window(title)
		d.do("close the process window", process.Close())
		d.noWindow(title)
	}

	server.close()
	d.note(noteManyClosed(200, "20000", "20001"))
	if notes := d.rec.Notes(); len(notes) > 4 {
		t.Errorf("got %d notifications for 200 ports that opened and closed, want at most 4: %q", len(notes), summaries(notes))
	}
}

func TestHangingNotificationDaemon(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := startDesk(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	d.writeSettings("grace_period: 1s\nwatches:\n  - ports: 20001\n  - ports: 20002\n  - ports: 20003\n  - ports: 20004\n")
	item := d.item(d.start())
	window := d.mainWindow()
	d.steady(window)
	d.listen("127.0.0.1:20001")
	d.wantShown(fake, noteOpen("20001"))
	d.hasWarning(window, false)
	fake.Hang(true)

	// Tray and window respond before the timeout of the daemon. Because the machine
	// may be busy, one of three attempts is enough.
	prompt := false
	var server *server
	for n := 2; n <= 4 && !prompt; n++ {
		before := strings.Count(d.log(), logDaemonHangs)
		picture := d.steady(window)
		server = d.listen(fmt.Sprintf("127.0.0.1:2000%d", n))
		d.tooltip(item, tooltipOpen(n, 4))
		d.do("type", window.Type("2000"))
		d.waitChanged("the window responds", window, picture)
		prompt = strings.Count(d.log(), logDaemonHangs) == before
		d.do("clear the filter", window.Key("Escape"))
		d.eventually("the timeout of the daemon", func() error {
			if strings.Count(d.log(), logDaemonHangs) == before {
				return errors.New("it is not in the log")
			}
			return nil
		})
	}
	if !prompt {
		t.Error("tray and window responded only after the timeout of the daemon, three times")
	}
	d.hasWarning(window, true)
	d.shot("notifications-hang")
	fake.Hang(false)
	server.close()
	d.eventually("a notification is shown", func() error {
		if shown := fake.Shown(); !slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, "closed") }) {
			return fmt.Errorf("got %q", shown)
		}
		return nil
	})
	d.hasWarning(window, false)
}

func TestNotificationDaemonRestarts(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("grace_period: 0s\nwatches:\n  - ports: 62893\n")
	d.item(d.start("--hidden"))
	giver := d.serve(d.program("giver"), "/", "127.0.0.1:62893")
	d.note(noteOpen("62893", "giver"))
	taker := giver.command(d, "pass "+d.program("taker"))
	if n := d.note(noteOwnerChanged("62893")); n.Replaces == 0 {
		t.Error("the second notification about a port replaces none, want that it replaces the first")
	}
	d.StopNotifications()
	d.do("start dunst again", d.StartNotifications(d.step()))
	giver.close()
	d.waitGone(taker)
	if n := d.note(noteClosed("62893", "taker")); n.Replaces != 0 {
		t.Errorf("%q replaces %d, an ID of the old daemon; want a new notification", n.Summary, n.Replaces)
	}
}

// Without a display for a window, each click on the icon sends a notification.
func TestPanelRestartsAfterFiftyNotifications(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.startWith([]string{"DISPLAY=", "WAYLAND_DISPLAY="}, "--hidden")
	item := d.item(agent)
	for n := range 50 {
		d.do("click the icon", item.Activate(d.step()))
		d.eventually("a notification", func() error {
			if got := len(d.rec.Notes()); got != n+1 {
				return fmt.Errorf("got %d, want %d", got, n+1)
			}
			return nil
		})
	}
	d.do("close the notifications", d.ClickAt(d.NotificationPoint(), 2)) // their sender gets a signal for each
	for range 2 {
		d.StopPanel()
		d.do("start the panel again", d.StartPanel(d.step()))
		item = d.item(agent)
		d.oneItem()
	}
	d.tooltip(item, tooltipOpen(0, 1))
	d.listen("127.0.0.1:62893")
	d.tooltip(item, tooltipOpen(1, 1))
	d.menuHas(item, menuOpen("62893", serverName()))
}

func TestNotificationIsWithdrawnAndCanEndAWatch(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := startDesk(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	d.writeSettings("grace_period: 4s\nwatches:\n  # the shop\n  - ports: 62893\n")
	item := d.item(d.start("--hidden"))
	server := d.listen("127.0.0.1:62893")
	d.wantShown(fake, noteOpen("62893"))
	server.close()
	d.wantShown(fake) // it is no longer true; the close is notified after the grace time
	d.wantShown(fake, noteClosed("62893"))

	d.do("click Stop watching", fake.Invoke("unwatch"))
	d.tooltip(item, tooltipNone)
	d.wantShown(fake, noteUnwatched("62893"))
	const want = "grace_period: 4s\nwatches:\n  # the shop\n  - ports: 62893\n    off: true\n"
	if b, err := os.ReadFile(d.settingsPath()); err != nil || string(b) != want {
		t.Errorf("got the settings %q, %v; want %q", b, err, want)
	}
	d.writeSettings(want + "  - ports: 20001\n")
	d.menuHas(item, menuFree("20001"))
	d.listen("127.0.0.1:62893")
	d.listen("127.0.0.1:20001")
	d.wantShown(fake, noteUnwatched("62893"), noteOpen("20001"))
}

// wantShown waits until exactly these notifications are open.
func (d *desk) wantShown(fake *fakebus.Notifications, want ...string) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("the open notifications %q", want), func() error {
		if got := fake.Shown(); !slices.EqualFunc(got, want, strings.HasPrefix) {
			return fmt.Errorf("got %q", got)
		}
		return nil
	})
}

func TestSettingsEditedByHand(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("grace_period: 2s\nwatches:\n  - ports: 20001\n")
	item := d.item(d.start())
	window := d.mainWindow()
	d.steady(window)
	d.hasWarning(window, false)

	// A mistake is shown, and the last valid settings stay in effect.
	d.writeSettings("grace_period: 2s\nwatches:\n  - ports: 20002\n  - prots: 62893\n")
	d.hasWarning(window, true)
	d.logHas(logSettingsMistake)
	d.shot("settings-mistake")
	d.menuHas(item, menuFree("20001"))
	server := d.listen("127.0.0.1:20001")
	d.note(noteOpen("20001"))
	server.close()
	d.note(noteClosed("20001"))

	// A watch by a pattern follows its service to another port.
	d.writeSettings("grace_period: 6s\nwatches:\n  - match: acme web\n")
	d.hasWarning(window, false)
	d.menuHas(item, menuNotRunning("acme web"))
	web := d.project("acme", "web", "127.0.0.1:20003")
	d.reported(noteOpen("20003", "web · acme"))
	web.command(d, "listen 127.0.0.1:20004")
	d.reported(noteMoved("web · acme", "20004", "20003"))
	d.menuHas(item, menuOpen("20004", "web · acme"))
}

// reported waits for a notification that begins with summary, or one about several events
// within a few seconds that contains it.
func (d *desk) reported(summary string) {
	d.t.Helper()
	_, err := d.rec.WaitNote(d.step(), func(n desktop.Note) bool {
		return strings.HasPrefix(n.Summary, summary) || strings.Contains(n.Body, summary)
	})
	if err != nil {
		d.t.Fatalf("the event %q: %v", summary, err)
	}
}

func TestPauseSummary(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("grace_period: 0s\nwatches:\n  - ports: 20001-20003\n")
	item := d.item(d.start("--hidden"))
	d.menuHas(item, menuClosed("20001-20003"))
	d.do("pause", item.Click(d.step(), menuPauseHour))
	d.wantIcon(item, tray.Icon{Paused: true})
	first := d.listen("127.0.0.1:20001")
	d.menuHas(item, menuOpen("20001", serverName()))
	d.listen("127.0.0.1:20002")
	d.menuHas(item, menuOpen("20002", serverName()))
	first.close()
	d.listen("127.0.0.1:20003")
	d.menuHas(item, menuOpen("20003", serverName()))
	d.do("resume", item.Click(d.step(), menuResume))
	d.note(noteMissed(noteManyChanges(4, "20001", "20002", "20003")))
	d.listen("127.0.0.1:20001")
	d.note(noteOpen("20001"))
	d.wantNotes(noteMissed(), noteOpen("20001"))
}

func TestPauseAcrossARestart(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start("--hidden")
	item := d.item(agent)
	d.do("pause", item.Click(d.step(), menuPauseForever))
	d.wantIcon(item, tray.Icon{Paused: true})
	server := d.listen("127.0.0.1:62893")
	d.menuHas(item, menuOpen("62893", serverName()))
	d.do("quit", item.Click(d.step(), menuQuit))
	d.wantStatus(agent, 0)

	item = d.item(d.start("--hidden"))
	d.wantIcon(item, tray.Icon{Level: 4, Paused: true})
	d.do("resume", item.Click(d.step(), menuResume))
	d.note(noteMissed(noteOpen("62893", serverName())))
	server.close()
	d.note(noteClosed("62893"))
	d.wantNotes(noteMissed(), noteClosed("62893"))
}

func TestIconMarkEndsWhenTheEventIsShown(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	item := d.item(d.start())
	window := d.mainWindow()
	d.steady(window)
	d.do("go to the watches", window.Key("ctrl+3"))
	d.steady(window)
	d.listen("0.0.0.0:62893")
	d.note(noteOpen("62893"))
	d.wantIcon(item, tray.Icon{Level: 4, Alert: true}) // the Watches page shows no events
	d.do("go to the history", window.Key("ctrl+2"))
	d.steady(window)
	d.wantIcon(item, tray.Icon{Level: 4, Alert: true}) // the History page does not show the exposure
	d.do("go to the ports", window.Key("ctrl+1"))
	d.wantIcon(item, tray.Icon{Level: 4})
}

// wantNotes checks that exactly these notifications were sent, by the beginnings of their
// summaries. On a slow machine the owner of a port may be found after its notification
// was shown: then a correction replaces it, which is not counted.
func (d *desk) wantNotes(want ...string) {
	d.t.Helper()
	var got []string
	for _, n := range d.rec.Notes() {
		begins := func(i int) bool { return i >= 0 && i < len(want) && strings.HasPrefix(n.Summary, want[i]) }
		if k := len(got); n.Replaces != 0 && begins(k-1) && !begins(k) {
			continue
		}
		got = append(got, n.Summary)
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		d.t.Errorf("got the notifications %q, want %q", got, want)
	}
}

func summaries(notes []desktop.Note) (s []string) {
	for _, n := range notes {
		s = append(s, n.Summary)
	}
	return s
}
