package ui

import (
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// settingsDesk is a window at its Settings page, and what was asked since.
func settingsDesk(t *testing.T, s Settings) *desk {
	t.Helper()
	d := NewDesk(t)
	d.tell(s)
	d.ShowPage("settings")
	d.asked = nil
	return d
}

// tell tells the window that s holds.
func (d *desk) tell(s Settings) {
	d.SetStatus(Status{Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}, Settings: s})
}

func (d *desk) setting(key string) *settingRow {
	d.t.Helper()
	i := slices.IndexFunc(d.settings.rows, func(r *settingRow) bool { return r.key == key })
	if i < 0 {
		d.t.Fatalf("there is no setting %q", key)
	}
	return d.settings.rows[i]
}

func (d *desk) toggle(key string) *widgets.Toggle { return d.setting(key).first.(*widgets.Toggle) }

func (d *desk) choice(key string) *choice { return d.setting(key).first.(*choice) }

func (d *desk) number(key string) *numberEntry { return d.setting(key).first.(*numberEntry) }

func TestSettingsShowWhatHolds(t *testing.T) {
	d := settingsDesk(t, Settings{Theme: "dark", StartAtLogin: true, StartHidden: true, Notifications: true, Sound: true, PollingInterval: 300 * time.Millisecond,
		UDP: true, AllAddresses: true, HistoryDays: 30})
	for _, key := range []string{"start_at_login", "start_hidden", "notifications", "sound", "udp", "all_addresses"} {
		if !d.toggle(key).On {
			t.Errorf("%s is shown off", key)
		}
	}
	if got := d.choice("polling_interval").Selected; got != "300 ms" {
		t.Errorf("an interval that somebody wrote into the file is shown as %q", got)
	}
	if got := d.choice("language").Selected; got != "As the system" {
		t.Errorf("language %q", got)
	}
	if days, rows := d.number("history_days"), d.number("history_events"); days.Text != "30" || rows.Text != "" || rows.PlaceHolder != "100000" {
		t.Errorf("days %q, rows %q, usually %q", days.Text, rows.Text, rows.PlaceHolder)
	}
	d.tell(Settings{}) // the file was edited
	for _, key := range []string{"start_at_login", "start_hidden", "notifications", "sound", "udp", "all_addresses"} {
		if d.toggle(key).On {
			t.Errorf("%s is still shown on", key)
		}
	}
	if interval, days := d.choice("polling_interval").Selected, d.number("history_days").Text; interval != "Automatic" || days != "" {
		t.Errorf("interval %q, days %q", interval, days)
	}
	d.want("asked", d.asked, nil)
}

func TestAChoiceIsAskedFor(t *testing.T) {
	d := settingsDesk(t, Settings{Notifications: true})
	test.Tap(d.toggle("notifications"))
	test.Tap(d.toggle("start_at_login"))
	d.choice("polling_interval").SetSelected("2 s")
	d.choice("polling_interval").SetSelected("Automatic")
	d.choice("language").SetSelected("English")
	test.Tap(d.settings.rows[0].first.(*widgets.Segment)) // the first of the theme's
	test.Tap(d.settings.rows[1].first.(*widgets.Segment)) // and of the tray icon's
	d.want("asked", d.asked, []string{`set notifications "false"`, `set start_at_login "true"`, `set interval "2s"`, `set interval ""`, `set language "en"`, `set theme ""`, `set tray_icon ""`})
}

func TestARefusalIsSaidAndTheTruthShown(t *testing.T) {
	d := settingsDesk(t, Settings{Notifications: true})
	sound := d.toggle("sound")
	test.Tap(sound)
	if !sound.On {
		t.Error("the control waits for the answer")
	}
	d.tell(Settings{Notifications: true})
	d.ShowSettingResult("sound", "Not changed: the disk is full")
	if r := d.setting("sound"); sound.On || r.below.Segment.Text != "Not changed: the disk is full" {
		t.Errorf("on %v, said %q", sound.On, r.below.Segment.Text)
	}
	d.ShowPage("ports")
	d.ShowPage("settings")
	if got := d.setting("sound").below.Segment.Text; got != d.setting("sound").help {
		t.Errorf("the next time it says %q", got)
	}
}

func TestWhatWasChosenSinceIsNotUndoneByAnOlderAnswer(t *testing.T) {
	d := settingsDesk(t, Settings{})
	udp := d.toggle("udp")
	for range 3 { // on, off, on
		test.Tap(udp)
	}
	for i, on := range []bool{true, false, true} {
		d.tell(Settings{UDP: on})
		d.ShowSettingResult("udp", "")
		if !udp.On {
			t.Errorf("answer %d switched it off", i+1)
		}
	}
	d.tell(Settings{})
	if udp.On {
		t.Error("after the answers the truth is not shown")
	}
}

func TestNumbersAreCheckedWhileTyped(t *testing.T) {
	d := settingsDesk(t, Settings{HistoryDays: 30})
	days, row := d.number("history_days"), d.setting("history_days")
	canvas := d.window.Canvas()
	enter, escape := &fyne.KeyEvent{Name: fyne.KeyReturn}, &fyne.KeyEvent{Name: fyne.KeyEscape}
	canvas.Focus(days)
	for _, wrong := range []string{"0", "3651", "-1", "1.5", "long"} {
		days.SetText(wrong)
		if !strings.HasPrefix(row.below.Segment.Text, "A number from 1 to 3650") {
			t.Errorf("%q: said %q", wrong, row.below.Segment.Text)
		}
		days.TypedKey(enter)
	}
	d.want("asked for what is no number", d.asked, nil)
	days.TypedKey(escape)
	if days.Text != "30" || row.below.Segment.Text != row.help {
		t.Errorf("Esc: %q, said %q", days.Text, row.below.Segment.Text)
	}
	days.SetText("7")
	canvas.Focus(d.number("history_events")) // half a number must not erase activity
	if row.below.Segment.Text != "Enter takes it, Esc does not" {
		t.Errorf("of a number that is not taken: %q", row.below.Segment.Text)
	}
	d.tell(Settings{HistoryDays: 31})
	if days.Text != "7" {
		t.Errorf("while typing it became %q", days.Text)
	}
	d.want("asked while typing", d.asked, nil)
	days.TypedKey(enter)
	d.tell(Settings{HistoryDays: 7})
	d.ShowSettingResult("history_days", "")
	days.SetText("")
	days.TypedKey(enter)
	d.want("asked", d.asked, []string{`set history_days "7"`, `set history_days ""`})
	d.ShowSettingResult("history_days", "Not changed: no")
	if days.Text != "7" {
		t.Errorf("refused: %q; want 7, which holds", days.Text)
	}
}

func TestTheTestNotificationTellsWhatBecameOfIt(t *testing.T) {
	d := settingsDesk(t, Settings{})
	button := d.setting("test").first.(*widgets.Button)
	said := func() string { return d.setting("test").below.Segment.Text }
	test.Tap(&button.Button)
	test.Tap(&button.Button) // one is under way
	d.want("asked", d.asked, []string{"test"})
	d.ShowSettingResult("test", "This desktop shows no notifications")
	if said() != "This desktop shows no notifications" {
		t.Errorf("said %q", said())
	}
	test.Tap(&button.Button)
	d.ShowSettingResult("test", "")
	if !strings.HasPrefix(said(), "The desktop has taken it") {
		t.Errorf("said %q", said())
	}
}

func TestAThemeHoldsAtOnceForAllThatIsShown(t *testing.T) {
	picture := func(name string, themes ...string) image.Image {
		d := NewDesk(t)
		for _, theme := range themes {
			d.tell(Settings{Notifications: true, Theme: theme})
			d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(62893, "vite", 40))
			d.ShowPage(name)
		}
		d.window.Canvas().Unfocus()
		return d.window.Canvas().Capture()
	}
	for _, name := range []string{"ports", "activity", "watches", "settings"} {
		for _, theme := range []string{"light", "dark"} {
			other := map[string]string{"light": "dark", "dark": "light"}[theme]
			want, got := picture(name, theme), picture(name, other, theme)
			if n := uitest.DifferingPixels(want, got); n > 0 {
				t.Errorf("%s: from %s to %s leaves %d pixels that are not as in a window that began so", name, other, theme, n)
			}
		}
	}
	if uitest.DifferingPixels(picture("ports", "light"), picture("ports", "dark")) == 0 {
		t.Error("light and dark look the same")
	}
}

func TestSettingsByKeyboardAlone(t *testing.T) {
	d := NewDesk(t)
	d.tell(Settings{})
	d.window.Resize(fyne.NewSize(900, 400))
	canvas := d.window.Canvas()
	d.ShowPage("settings")
	reached := map[string]bool{}
	for range 40 {
		for _, r := range d.settings.rows {
			if focused, ok := canvas.Focused().(fyne.CanvasObject); ok && (focused == r.first || r.key == "theme" && r.control != nil && isSegment(focused)) {
				reached[r.key] = true
				if scroll := d.settings.scroll; r.top < scroll.Offset.Y || r.top+r.height > scroll.Offset.Y+scroll.Size().Height {
					t.Errorf("%s has the keyboard and is not to be seen: %v to %v, scrolled to %v of %v", r.key, r.top, r.top+r.height, scroll.Offset.Y, scroll.Size().Height)
				}
			}
		}
		canvas.FocusNext()
	}
	if len(reached) != len(d.settings.rows) {
		t.Errorf("the keyboard reaches %v of %d settings", reached, len(d.settings.rows))
	}
	d.asked = nil
	canvas.Focus(d.toggle("udp"))
	canvas.Focused().TypedRune(' ')
	canvas.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	d.want("asked", d.asked, []string{`set udp "true"`, `set udp "false"`})
}

func isSegment(o fyne.CanvasObject) bool { _, ok := o.(*widgets.Segment); return ok }

func TestWhatOthersChangeIsLookedForWhileThePageIsSeen(t *testing.T) {
	d := NewDesk(t)
	d.ShowPage("settings")
	for range 4 {
		d.Tick()
	}
	d.ShowPage("ports")
	for range 4 {
		d.Tick()
	}
	d.want("asked", d.asked, []string{"look", "look", "look"})
}

func TestSettingsOfADeadAgentCannotBeChanged(t *testing.T) {
	d := settingsDesk(t, Settings{Sound: true})
	test.Tap(d.toggle("sound"))
	d.Disconnect()
	if !d.toggle("sound").On {
		t.Error("what was asked of nobody is shown as if it held")
	}
	d.asked = nil
	test.Tap(d.toggle("udp"))
	test.Tap(d.settings.rows[0].first.(*widgets.Segment))
	test.Tap(&d.setting("test").first.(*widgets.Button).Button)
	d.want("asked", d.asked, nil)
}

func TestEveryTranslationCanBeChosen(t *testing.T) {
	d := settingsDesk(t, Settings{})
	want := []string{"As the system"}
	for _, code := range words.Languages() {
		want = append(want, words.LanguageName(code))
	}
	d.want("languages", d.choice("language").Options, want)
	if !slices.Contains(want, "English") {
		t.Errorf("English is not among %q", want)
	}
	d.tell(Settings{Language: "xx"}) // by hand
	if got := d.choice("language").Selected; got != "xx" {
		t.Errorf("a language that Porthole does not speak is shown as %q", got)
	}
}

func TestSwitchesOfThePortsPageAreTheSettings(t *testing.T) {
	d := NewDesk(t)
	far := uitest.Listening(3000, "node", 10, "192.168.1.5")
	d.see(far, uitest.Listening(3001, "node", 11))
	test.Tap(d.ports.udp)
	test.Tap(d.ports.allAddresses)
	d.want("asked", d.asked, []string{`set udp "true"`, `set other_addresses "true"`})
	d.want("before the answer", d.rows(), []string{"3001"})
	d.tell(Settings{Notifications: true, UDP: true, AllAddresses: true})
	d.want("all addresses", d.rows(), []string{"3000", "3001"})
	if got := d.ports.table.Rows()[0].exposure; got != "192.168.1.5" {
		t.Errorf("it says %q; want its address", got)
	}
	if !d.ports.udp.Chosen || !d.ports.allAddresses.Chosen {
		t.Error("the switches do not show what holds")
	}
	d.tell(Settings{Notifications: true})
	d.want("loopback again", d.rows(), []string{"3001"})
	d.ShowSettingResult("udp", "Not changed: no")
	if got := d.ports.left.Text; got != "Not changed: no" {
		t.Errorf("the status line says %q", got)
	}
}

func TestTheStatusLineSaysHowWatchingGoes(t *testing.T) {
	d := NewDesk(t)
	looks, cannot, on := monitor.Health{Interval: 250 * time.Millisecond}, monitor.Health{Problem: "it is broken"}, Settings{Notifications: true}
	until := time.Date(2026, 11, 24, 18, 30, 0, 0, time.Local).In(time.FixedZone("", 20700)) // told by a clock elsewhere
	for _, c := range []struct {
		status Status
		want   string
	}{
		{Status{Health: looks, Settings: on}, "checked every 250 ms"},
		{Status{Health: looks}, "notifications off · checked every 250 ms"},
		{Status{Health: looks, Settings: on, Paused: true}, "notifications paused · checked every 250 ms"},
		{Status{Health: looks, Settings: on, Paused: true, PausedUntil: until}, "notifications paused until 18:30 · checked every 250 ms"},
		{Status{Health: cannot, Settings: on}, "the ports cannot be read"},
		{Status{Health: cannot}, "notifications off · the ports cannot be read"},
	} {
		if d.SetStatus(c.status); d.ports.right.Text != c.want {
			t.Errorf("the status line says %q; want %q", d.ports.right.Text, c.want)
		}
	}
}

func TestDiagnosticsAreCopiedAlsoWithoutAnAgent(t *testing.T) {
	d := settingsDesk(t, Settings{})
	d.Disconnect()
	row := d.setting(KeyDiagnostics)
	button := row.first.(*widgets.Button)
	if button.Disabled() {
		t.Error("the button is disabled without an agent; want it most there")
	}
	test.Tap(&button.Button)
	test.Tap(&button.Button) // one is under way
	d.want("asked", d.asked, []string{"diagnostics"})
	d.ShowSettingResult(KeyDiagnostics, "")
	if said := row.below.Segment.Text; said != "Copied" {
		t.Errorf("said %q, want that it is copied", said)
	}
}

func TestLicencesAreShownAndLeftByTheKeyboard(t *testing.T) {
	d := settingsDesk(t, Settings{})
	button := d.setting("licences").first.(*widgets.Button)
	test.Tap(&button.Button)
	overlays := d.window.Canvas().Overlays()
	if overlays.Top() == nil {
		t.Fatal("nothing is shown")
	}
	if size, room := overlays.Top().MinSize(), d.window.Canvas().Size(); size.Height > room.Height {
		t.Errorf("the licences take %v of %v", size, room)
	}
	done := d.window.Canvas().Focused().(*widgets.Button)
	done.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown})
	if done.Scroll.Offset.Y == 0 {
		t.Error("PageDown does not scroll them")
	}
	done.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if overlays.Top() != nil {
		t.Error("Esc leaves them there")
	}
}

func TestSettingsOfferGerman(t *testing.T) {
	d := settingsDesk(t, Settings{Language: "de"})
	if c := d.choice("language"); c.Selected != "Deutsch" || !slices.Contains(c.Options, "English") {
		t.Errorf("%q of %q", c.Selected, c.Options)
	}
}
