package e2e

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"porthole/e2e/desktop"
	"porthole/internal/fakebus"
	"porthole/ui/tray"
)

func TestARestartIsToldOnce(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "grace_period: 6s\nwatches:\n  - ports: 62893\n")
	d.item(d.start("--hidden"))
	first := d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	first.close()
	second := d.listen("127.0.0.1:62893")
	d.note("62893 restarted: " + serverName())
	second.close()
	d.note("62893 closed: " + serverName()) // the grace time of the first close is over as well
	d.titles("62893 is open", "62893 restarted", "62893 closed")
}

func TestASocketThatChangesHandsIsToldAndMarked(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	item := d.item(d.start("--hidden"))
	giver := d.serve(d.program("giver"), "/", "127.0.0.1:62893")
	d.note("62893 is open: giver")
	d.looks(item, tray.Icon{Level: 4, Dot: true})
	taker := giver.order(d, "pass "+d.program("taker"))
	d.note("62893 changed hands: giver → taker")
	d.looks(item, tray.Icon{Level: 4, Alert: true})
	d.do("look at the window", item.Click(d.step(), "Open Porthole"))
	d.window("Porthole")
	d.looks(item, tray.Icon{Level: 4})
	giver.close()
	d.eventually("the heir ends", func() error {
		if alive(taker) {
			return fmt.Errorf("%d is there", taker)
		}
		return nil
	})
	d.note("62893 closed: taker")
	d.titles("62893 is open", "62893 changed hands", "62893 closed")
}

func TestAServerThatOpensItselfToTheNetworkIsToldAndMarked(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	item := d.item(d.start("--hidden"))
	server := d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	d.looks(item, tray.Icon{Level: 4, Dot: true})
	server.order(d, "listen 0.0.0.0:62893")
	d.note("62893 can now be reached from the network")
	d.looks(item, tray.Icon{Level: 4, Alert: true})
	server.close()
	d.note("62893 closed")
	d.looks(item, tray.Icon{Alert: true}) // nobody has looked yet
	d.titles("62893 is open", "62893 can now be reached", "62893 closed")
}

func TestTwoHundredPortsAtOnce(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "grace_period: 1s\nwatches:\n  - ports: 20000-20200\n")
	middle := d.serve(d.program("middle"), "/", "127.0.0.1:20100")
	item := d.item(d.start())
	window := d.window("Porthole")
	d.menuHas(item, "● 20100 middle")
	var addresses []string
	for port := 20000; port <= 20200; port++ {
		if port != 20100 {
			addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	server := d.listen(strings.Join(addresses, ","))
	d.note("200 ports opened: 20000, 20001")
	d.menuHas(item, "…and 191 more watched ports")

	// Counted in the window: 100 are above the one in the middle, 100 below it.
	d.do("filter", window.Type("20000-20200"))
	d.do("leave the filter", window.Key("Down"))
	d.steady(window)
	d.shot("two-hundred")
	for _, way := range [][]string{{"Home", "Down"}, {"End", "Up"}} {
		keys := append(way[:1:1], slices.Repeat(way[1:], 100)...)
		d.do("go to the row in the middle and open it", window.Key(append(keys, "Return")...))
		title := fmt.Sprintf("middle %d – Porthole", middle.pid())
		process := d.window(title)
		d.do("close the process window", process.Close())
		d.noWindow(title)
	}

	server.close()
	d.note("200 ports closed: 20000, 20001")
	if notes := d.rec.Notes(); len(notes) > 4 {
		t.Errorf("%d notifications of 200 ports that opened and closed, want two of each at most: %q", len(notes), summaries(notes))
	}
}

func TestANotificationServiceThatHangsStopsNothing(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := boot(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	d.write(d.settings(), "grace_period: 1s\nwatches:\n  - ports: 20001\n  - ports: 20002\n  - ports: 20003\n  - ports: 20004\n")
	item := d.item(d.start())
	window := d.window("Porthole")
	d.steady(window)
	d.listen("127.0.0.1:20001")
	d.shown(fake, "20001 is open")
	d.warned(window, false)
	fake.Hang(true)

	// Tray and window answer before the service is given up. A machine that was
	// too busy for that once gets another chance.
	const givenUp = "the notification daemon does not respond"
	prompt := false
	var server *server
	for n := 2; n <= 4 && !prompt; n++ {
		before := strings.Count(d.log(), givenUp)
		look := d.steady(window)
		server = d.listen(fmt.Sprintf("127.0.0.1:2000%d", n))
		d.tooltip(item, fmt.Sprintf("%d of 4 watched open", n))
		d.do("type", window.Type("2000"))
		d.eventually("the window answers", func() error { return differs(d, window, look) })
		prompt = strings.Count(d.log(), givenUp) == before
		d.do("clear the filter", window.Key("Escape"))
		d.eventually("the service is given up", func() error {
			if strings.Count(d.log(), givenUp) == before {
				return errors.New("the log does not say so")
			}
			return nil
		})
	}
	if !prompt {
		t.Error("tray and window answered only when the service was given up, three times")
	}
	d.warned(window, true)
	d.shot("notifications-hang")
	fake.Hang(false)
	server.close()
	d.eventually("a notification is shown", func() error {
		if shown := fake.Shown(); !slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, "closed") }) {
			return fmt.Errorf("shown are %q", shown)
		}
		return nil
	})
	d.warned(window, false)
}

func TestANotificationServiceThatRestarts(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "grace_period: 0s\nwatches:\n  - ports: 62893\n")
	d.item(d.start("--hidden"))
	server := d.listen("127.0.0.1:62893")
	d.note("62893 is open")
	server.order(d, "listen 127.0.0.1:20001")
	if n := d.note("62893 closed"); n.Replaces == 0 {
		t.Error("the second notification about a port has a number of its own, want it in the place of the first")
	}
	d.StopNotifications()
	d.do("start dunst again", d.StartNotifications(d.step()))
	server.order(d, "listen [::1]:62893")
	d.eventually("the next notification", func() error {
		notes := d.rec.Notes()
		if len(notes) != 3 {
			return fmt.Errorf("there are %q", summaries(notes))
		}
		if notes[2].Replaces != 0 {
			t.Errorf("%q is to take the place of %d, which the new service never gave", notes[2].Summary, notes[2].Replaces)
		}
		return nil
	})
}

// Where there is no display for a window, each click on the icon is answered by
// a notification.
func TestThePanelRestartsAfterFiftyNotifications(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.startWith([]string{"DISPLAY=", "WAYLAND_DISPLAY="}, "--hidden")
	item := d.item(agent)
	for n := range 50 {
		d.do("click the icon", item.Activate(d.step()))
		d.eventually("a notification", func() error {
			if got := len(d.rec.Notes()); got != n+1 {
				return fmt.Errorf("there are %d, want %d", got, n+1)
			}
			return nil
		})
	}
	d.do("close the notifications", d.ClickAt(d.NotificationPoint(), 2)) // which is signalled to who sent them
	for range 2 {
		d.StopPanel()
		d.do("start the panel again", d.StartPanel(d.step()))
		item = d.item(agent)
		if items, err := d.tray.Items(d.step()); err != nil || len(items) != 1 {
			t.Fatalf("%d tray items, %v; want one", len(items), err)
		}
	}
	d.tooltip(item, "0 of 1 watched open")
	d.listen("127.0.0.1:62893")
	d.tooltip(item, "1 of 1 watched open")
	d.menuHas(item, "● 62893 "+serverName())
}

func TestNotificationsAreOutdatedAndEndAWatch(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := boot(t, opts)
	fake, err := d.StartFakeNotifications()
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	d.write(d.settings(), "grace_period: 4s\nwatches:\n  # the shop\n  - ports: 62893\n")
	item := d.item(d.start("--hidden"))
	server := d.listen("127.0.0.1:62893")
	d.shown(fake, "62893 is open")
	server.close()
	d.shown(fake) // it is not true any more; that it closed is told after the grace time
	d.shown(fake, "62893 closed")

	d.do("click Stop watching", fake.Invoke("unwatch"))
	d.tooltip(item, "none watched")
	const want = "grace_period: 4s\nwatches:\n  # the shop\n  - ports: 62893\n    off: true\n"
	if b, err := os.ReadFile(d.settings()); err != nil || string(b) != want {
		t.Errorf("the settings are %q, %v; want %q", b, err, want)
	}
	d.write(d.settings(), want+"  - ports: 20001\n")
	d.menuHas(item, "○ 20001 free")
	d.listen("127.0.0.1:62893")
	d.listen("127.0.0.1:20001")
	d.shown(fake, "20001 is open")
}

// shown waits until just these notifications are shown.
func (d *desk) shown(fake *fakebus.Notifications, want ...string) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("%q shown", want), func() error {
		if got := fake.Shown(); !slices.EqualFunc(got, want, strings.HasPrefix) {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

func TestSettingsEditedByHand(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "grace_period: 2s\nwatches:\n  - ports: 20001\n")
	item := d.item(d.start())
	window := d.window("Porthole")
	d.steady(window)
	d.warned(window, false)

	// A mistake is said, and what held before holds on.
	d.write(d.settings(), "grace_period: 2s\nwatches:\n  - ports: 20002\n  - prots: 62893\n")
	d.warned(window, true)
	d.logHas("settings.yaml: line 4: a watch needs ports")
	d.shot("settings-mistake")
	d.menuHas(item, "○ 20001 free")
	server := d.listen("127.0.0.1:20001")
	d.note("20001 is open")
	server.close()
	d.note("20001 closed")

	// A rule by a pattern follows its service to another port.
	d.write(d.settings(), "grace_period: 6s\nwatches:\n  - match: acme web\n")
	d.warned(window, false)
	d.menuHas(item, "○ acme web not running")
	web := d.project("acme", "web", "127.0.0.1:20003")
	d.note("20003 is open: web · acme")
	web.order(d, "listen 127.0.0.1:20004")
	d.note("web · acme is now on 20004, no longer on 20003")
	d.menuHas(item, "● 20004 web · acme")
	d.titles("20001 is open", "20001 closed", "20003 is open", "web · acme is now on 20004")
}

func TestWhatHappensInAPauseIsOneSentence(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "grace_period: 0s\nwatches:\n  - ports: 20001-20003\n")
	item := d.item(d.start("--hidden"))
	d.menuHas(item, "○ 20001-20003 free")
	d.do("pause", item.Click(d.step(), "Pause notifications for 1 hour"))
	d.looks(item, tray.Icon{Paused: true})
	first := d.listen("127.0.0.1:20001")
	d.menuHas(item, "● 20001 "+serverName())
	d.listen("127.0.0.1:20002")
	d.menuHas(item, "● 20002 "+serverName())
	first.close()
	d.listen("127.0.0.1:20003")
	d.menuHas(item, "● 20003 "+serverName())
	d.do("resume", item.Click(d.step(), "Resume notifications"))
	d.note("While notifications were paused: 4 changes of watched ports: 20001, 20002, 20003")
	d.listen("127.0.0.1:20001")
	d.note("20001 is open")
	d.titles("While notifications were paused", "20001 is open")
}

func TestAPauseOutlivesPorthole(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start("--hidden")
	item := d.item(agent)
	d.do("pause", item.Click(d.step(), "Pause notifications until resumed"))
	d.looks(item, tray.Icon{Paused: true})
	server := d.listen("127.0.0.1:62893")
	d.menuHas(item, "● 62893 "+serverName())
	d.do("quit", item.Click(d.step(), "Quit Porthole"))
	d.wantStatus(agent, 0)

	item = d.item(d.start("--hidden"))
	d.looks(item, tray.Icon{Level: 4, Paused: true})
	d.do("resume", item.Click(d.step(), "Resume notifications"))
	d.note("While notifications were paused: 62893 is open: " + serverName())
	server.close()
	d.note("62893 closed")
	d.titles("While notifications were paused", "62893 closed")
}

func TestTheDotGoesWhenTheChangeWasShown(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	item := d.item(d.start())
	window := d.window("Porthole")
	d.steady(window)
	d.do("go to the watches", window.Key("ctrl+3"))
	d.steady(window)
	d.listen("0.0.0.0:62893")
	d.note("62893 is open")
	d.looks(item, tray.Icon{Level: 4, Alert: true}) // the page of watches shows no changes
	d.do("go to the activity", window.Key("ctrl+2"))
	d.steady(window)
	d.looks(item, tray.Icon{Level: 4, Alert: true}) // nor does this one show who can reach it
	d.do("go to the ports", window.Key("ctrl+1"))
	d.looks(item, tray.Icon{Level: 4})
}

// titles wants just these notifications, by how they begin.
func (d *desk) titles(want ...string) {
	d.t.Helper()
	if got := summaries(d.rec.Notes()); !slices.EqualFunc(got, want, strings.HasPrefix) {
		d.t.Errorf("notifications %q, want %q", got, want)
	}
}

func summaries(notes []desktop.Note) (s []string) {
	for _, n := range notes {
		s = append(s, n.Summary)
	}
	return s
}

// settings is where the settings file is.
func (d *desk) settings() string {
	for _, kv := range d.Env() {
		if dir, ok := strings.CutPrefix(kv, "XDG_CONFIG_HOME="); ok {
			return filepath.Join(dir, "porthole", "settings.yaml")
		}
	}
	d.t.Fatal("the desktop has no XDG_CONFIG_HOME")
	return ""
}

func (d *desk) write(path, text string) {
	d.t.Helper()
	d.do("write a file", errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)))
}

// program makes a program of that name, which is this test's own.
func (d *desk) program(name string) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), name)
	d.do("make a program", os.Link(testProgram, path))
	return path
}

// looks waits until the tray shows an icon.
func (d *desk) looks(item desktop.Item, want tray.Icon) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("the icon %+v", want), func() error {
		got, err := item.Icon(d.step())
		if err != nil {
			return err
		}
		for _, level := range []int{0, 1, 2, 3, 4} {
			for _, mark := range []tray.Icon{{}, {Dot: true}, {Alert: true}} {
				for _, paused := range []bool{false, true} {
					icon := tray.Icon{Level: level, Dot: mark.Dot, Alert: mark.Alert, Paused: paused}
					if picture := icon.Picture(got.Bounds().Dx()); looksLike(got, picture) {
						if looksLike(want.Picture(got.Bounds().Dx()), picture) {
							return nil
						}
						return fmt.Errorf("it is %+v", icon)
					}
				}
			}
		}
		return errors.New("it is none of ours")
	})
}

// looksLike compares shapes, and the colours where they are opaque: how a tray's
// picture has those that are not is up to the tray.
func looksLike(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	close := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 4 }
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			p, q := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			if !close(p.A, q.A) || p.A == 255 && !(close(p.R, q.R) && close(p.G, q.G) && close(p.B, q.B)) {
				return false
			}
		}
	}
	return true
}

// warned waits until the window has a bar of warnings, or none.
func (d *desk) warned(w desktop.Window, want bool) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("a bar of warnings: %t", want), func() error {
		at, err := d.bar(w)
		if err == nil && (at.Y > 0) != want {
			err = fmt.Errorf("it is at %v", at)
		}
		return err
	})
}

// bar is the right end of the window's bar of warnings, whose left edge is of a
// colour of its own; the zero Point where there is none.
func (d *desk) bar(w desktop.Window) (image.Point, error) {
	img, err := screen(d)
	if err != nil {
		return image.Point{}, err
	}
	frame, err := w.Geometry()
	if err != nil {
		return image.Point{}, err
	}
	run := 0
	for y := frame.Min.Y; y < frame.Max.Y; y++ {
		at := img.At(frame.Min.X+2, y)
		if near(at, color.RGBA{0xf0, 0xa8, 0x1c, 255}) || near(at, color.RGBA{0x8f, 0x5c, 0, 255}) {
			run++
			continue
		}
		if run >= 12 {
			return image.Pt(frame.Dx(), y-run/2-frame.Min.Y), nil
		}
		run = 0
	}
	return image.Point{}, nil
}
