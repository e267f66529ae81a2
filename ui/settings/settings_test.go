package settings

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/assets"
	"porthole/monitor/watch"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// desk shows the page in a window and records its requests.
type desk struct {
	uitest.Desk
	settings *Page
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.settings = New(d, "test")
	d.Host(d.settings.Content, fyne.NewSize(1000, 600), d.settings.Focus)
	return d
}

// newLoadedDesk returns a desk with loaded settings and no recorded requests.
func newLoadedDesk(t *testing.T, s Settings) *desk {
	t.Helper()
	d := newDesk(t)
	d.settings.SetSettings(s)
	d.setShown(true)
	d.Asked = nil
	return d
}

// setShown shows or hides the page.
func (d *desk) setShown(shown bool) {
	d.settings.Content.Hidden = !shown
	if shown {
		d.settings.OnShown()
		d.settings.Focus()
	}
}

func (d *desk) setting(key string) *settingRow {
	d.T.Helper()
	i := slices.IndexFunc(d.settings.rows, func(r *settingRow) bool { return r.key == key })
	if i < 0 {
		d.T.Fatalf("there is no setting %q", key)
	}
	return d.settings.rows[i]
}

func (d *desk) toggle(key string) *widgets.Toggle {
	return d.setting(key).focusTarget.(*widgets.Toggle)
}

func (d *desk) choice(key string) *widgets.Choice {
	return d.setting(key).focusTarget.(*widgets.Choice)
}

func (d *desk) number(key string) *numberEntry { return d.setting(key).focusTarget.(*numberEntry) }

func TestSettingsShowCurrentValues(t *testing.T) {
	d := newLoadedDesk(t, Settings{Theme: "dark", StartAtLogin: true, StartHidden: true, Notifications: true, NewExposed: true, QuietHours: "21:00-06:30", GracePeriod: 1500 * time.Millisecond, Sound: true, PollingInterval: 300 * time.Millisecond,
		UDP: true, AllAddresses: true, HistoryDays: 30})
	for _, key := range []string{"start_at_login", "start_hidden", "notifications", "new_exposed", "sound", "udp", "all_addresses"} {
		if !d.toggle(key).On {
			t.Errorf("%s: got off, want on", key)
		}
	}
	if got := d.choice("polling_interval").Selected; got != "300 ms" {
		t.Errorf("interval from the settings file: got %q, want 300 ms", got)
	}
	if got := d.choice("quiet_hours").Selected; got != "21:00–06:30" {
		t.Errorf("quiet hours from the settings file: got %q", got)
	}
	if got := d.choice("grace_period").Selected; got != "1.5 s" {
		t.Errorf("grace period from the settings file: got %q, want 1.5 s", got)
	}
	if got := d.choice("language").Selected; got != "System" {
		t.Errorf("language: got %q, want System", got)
	}
	if days, rows := d.number("history_days"), d.number("history_events"); days.Text != "30" || rows.Text != "" || rows.PlaceHolder != "100000" {
		t.Errorf("got days %q, events %q (default %q)", days.Text, rows.Text, rows.PlaceHolder)
	}
	d.settings.SetSettings(Settings{NotifyOn: watch.OnAttempt, Expiry: -1})
	if events, expiry := d.choice("notify_on").Selected, d.choice("expiry").Selected; events != "Other events" || expiry != "Until closed" {
		t.Errorf("got the events %q and expiry %q, want other ones, until closed", events, expiry)
	}
	d.settings.SetSettings(Settings{}) // the file was edited
	for _, key := range []string{"start_at_login", "start_hidden", "notifications", "new_exposed", "sound", "udp", "all_addresses"} {
		if d.toggle(key).On {
			t.Errorf("%s: got on, want off", key)
		}
	}
	if events, expiry := d.choice("notify_on").Selected, d.choice("expiry").Selected; events != "Usual events" || expiry != "Automatic" {
		t.Errorf("got the events %q and expiry %q, want the defaults", events, expiry)
	}
	if interval, days := d.choice("polling_interval").Selected, d.number("history_days").Text; interval != "Automatic" || days != "" {
		t.Errorf("got interval %q, days %q, want the defaults", interval, days)
	}
	d.Want("requests", d.Asked, nil)
}

// Without shortcuts for programs, the page says how to get one instead.
func TestShortcutForTheWindow(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	row := d.setting("shortcut")
	test.Tap(d.toggle("shortcut"))
	d.Want("requests", d.Asked, []string{`set shortcut "true"`})
	d.settings.ShowResult("shortcut", "")
	d.Asked = nil
	const advice = "Add one yourself"
	d.settings.SetSettings(Settings{ShortcutAdvice: advice})
	test.Tap(d.toggle("shortcut"))
	if got := row.note.Segment.Text; got != advice || len(d.Asked) > 0 {
		t.Errorf("got the note %q and the requests %q, want %q and none", got, d.Asked, advice)
	}
	d.settings.SetSettings(Settings{Shortcut: true})
	if got := row.note.Segment.Text; got == advice || !d.toggle("shortcut").On {
		t.Errorf("got the note %q, on %t", got, d.toggle("shortcut").On)
	}
}

func TestChangeIsRequested(t *testing.T) {
	d := newLoadedDesk(t, Settings{Notifications: true})
	test.Tap(d.toggle("notifications"))
	test.Tap(d.toggle("start_at_login"))
	d.choice("polling_interval").SetSelected("2 s")
	d.choice("polling_interval").SetSelected("Automatic")
	d.choice("quiet_hours").SetSelected("22:00–07:00")
	d.settings.SetSettings(Settings{Notifications: true, GracePeriod: watch.DefaultGrace})
	d.choice("grace_period").SetSelected("None")
	d.choice("grace_period").SetSelected("60 s")
	d.choice("grace_period").SetSelected("3 s")
	d.choice("language").SetSelected("English")
	d.choice("zoom").SetSelected("120 %")
	d.choice("zoom").SetSelected("100 %")
	test.Tap(d.settings.rows[0].focusTarget.(*widgets.Segment)) // the first of the theme's
	d.choice("tray_icon").SetSelected("Outlined")
	d.choice("tray_icon").SetSelected("Automatic")
	d.choice("notify_on").SetSelected("Crashes and exposure")
	d.choice("expiry").SetSelected("Until closed")
	d.Want("requests", d.Asked, []string{`set notifications "false"`, `set start_at_login "true"`, `set polling_interval "2s"`, `set polling_interval ""`, `set quiet_hours "22:00-07:00"`, `set grace_period "0s"`, `set grace_period "1m0s"`, `set grace_period ""`, `set language "en"`, `set zoom "120"`, `set zoom ""`, `set theme ""`, `set tray_icon "outlined"`, `set tray_icon ""`, `set notify_on "crash,exposed"`, `set expiry "never"`})
}

func TestFailedChangeShowsProblemAndCurrentValue(t *testing.T) {
	d := newLoadedDesk(t, Settings{Notifications: true})
	sound := d.toggle("sound")
	test.Tap(sound)
	if !sound.On {
		t.Error("the toggle is off before the answer, want on")
	}
	d.settings.SetSettings(Settings{Notifications: true})
	d.settings.ShowResult("sound", "Can't change the setting: the disk is full")
	if r := d.setting("sound"); sound.On || r.note.Segment.Text != "Can't change the setting: the disk is full" {
		t.Errorf("got on %v, note %q, want off and the problem", sound.On, r.note.Segment.Text)
	}
	d.setShown(false)
	d.setShown(true)
	if got := d.setting("sound").note.Segment.Text; got != d.setting("sound").help {
		t.Errorf("after showing the page again: got note %q, want the description", got)
	}
}

func TestOldAnswerDoesNotUndoNewerChange(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	udp := d.toggle("udp")
	for range 3 { // on, off, on
		test.Tap(udp)
	}
	for i, on := range []bool{true, false, true} {
		d.settings.SetSettings(Settings{UDP: on})
		d.settings.ShowResult("udp", "")
		if !udp.On {
			t.Errorf("answer %d switched the toggle off", i+1)
		}
	}
	d.settings.SetSettings(Settings{})
	if udp.On {
		t.Error("after all answers: got on, want the current value off")
	}
}

func TestNumbersAreValidatedWhileTyped(t *testing.T) {
	d := newLoadedDesk(t, Settings{HistoryDays: 30})
	days, row := d.number("history_days"), d.setting("history_days")
	canvas := d.Window.Canvas()
	enter, escape := &fyne.KeyEvent{Name: fyne.KeyReturn}, &fyne.KeyEvent{Name: fyne.KeyEscape}
	canvas.Focus(days)
	for _, wrong := range []string{"0", "3651", "-1", "1.5", "long"} {
		days.SetText(wrong)
		if !strings.HasPrefix(row.note.Segment.Text, "Enter a number from 1 to 3650") {
			t.Errorf("%q: got note %q", wrong, row.note.Segment.Text)
		}
		days.TypedKey(enter)
	}
	d.Want("requests for invalid numbers", d.Asked, nil)
	days.TypedKey(escape)
	if days.Text != "30" || row.note.Segment.Text != row.help {
		t.Errorf("after Esc: got %q, note %q", days.Text, row.note.Segment.Text)
	}
	days.SetText("7")
	canvas.Focus(d.number("history_events")) // a half-typed number must not delete events
	if row.note.Segment.Text != "Enter: apply · Esc: cancel" {
		t.Errorf("note on a number that is not applied: got %q", row.note.Segment.Text)
	}
	d.settings.SetSettings(Settings{HistoryDays: 31})
	if days.Text != "7" {
		t.Errorf("while typing the text became %q, want 7", days.Text)
	}
	d.Want("requests while typing", d.Asked, nil)
	days.TypedKey(enter)
	d.settings.SetSettings(Settings{HistoryDays: 7})
	d.settings.ShowResult("history_days", "")
	days.SetText("")
	days.TypedKey(enter)
	d.Want("requests", d.Asked, []string{`set history_days "7"`, `set history_days ""`})
	d.settings.ShowResult("history_days", "Can't change the setting: no")
	if days.Text != "7" {
		t.Errorf("after a failure: got %q, want the current value 7", days.Text)
	}
}

func TestTestNotificationShowsResult(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	button := d.setting("test").focusTarget.(*widgets.Button)
	note := func() string { return d.setting("test").note.Segment.Text }
	test.Tap(&button.Button)
	test.Tap(&button.Button) // the first one is pending
	d.Want("requests", d.Asked, []string{"test"})
	d.settings.ShowResult("test", "This desktop shows no notifications")
	if note() != "This desktop shows no notifications" {
		t.Errorf("got note %q", note())
	}
	test.Tap(&button.Button)
	d.settings.ShowResult("test", "")
	if !strings.HasPrefix(note(), "Sent. If no notification appeared") {
		t.Errorf("got note %q", note())
	}
}

func TestSettingsByKeyboard(t *testing.T) {
	d := newDesk(t)
	d.settings.SetSettings(Settings{})
	d.Window.Resize(fyne.NewSize(900, 400))
	canvas := d.Window.Canvas()
	d.setShown(true)
	reached := map[string]bool{}
	for range 80 {
		for _, r := range d.settings.rows {
			if focused, ok := canvas.Focused().(fyne.CanvasObject); ok && (focused == r.focusTarget || isSegmentOf(focused, r.control)) {
				reached[r.key] = true
				if scroll := d.settings.scroll; r.top < scroll.Offset.Y || r.top+r.height > scroll.Offset.Y+scroll.Size().Height {
					t.Errorf("%s has the focus but is not visible: at %v to %v, scrolled to %v, height %v", r.key, r.top, r.top+r.height, scroll.Offset.Y, scroll.Size().Height)
				}
			}
		}
		canvas.FocusNext()
	}
	if len(reached) != len(d.settings.rows) {
		t.Errorf("Tab reaches %v, want all %d settings", reached, len(d.settings.rows))
	}
	d.Asked = nil
	canvas.Focus(d.toggle("udp"))
	canvas.Focused().TypedRune(' ')
	canvas.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	d.Want("requests", d.Asked, []string{`set udp "true"`, `set udp "false"`})
}

// isSegmentOf reports whether o is a segment at the place of a control.
func isSegmentOf(o, control fyne.CanvasObject) bool {
	_, segment := o.(*widgets.Segment)
	at, bar := fyne.CurrentApp().Driver().AbsolutePositionForObject(o), fyne.CurrentApp().Driver().AbsolutePositionForObject(control)
	return segment && at.Y >= bar.Y && at.Y < bar.Y+control.Size().Height
}

func TestSettingsAreReloadedWhilePageIsVisible(t *testing.T) {
	d := newDesk(t)
	d.setShown(true)
	for range 4 {
		d.settings.Tick()
	}
	d.setShown(false)
	for range 4 {
		d.settings.Tick()
	}
	d.Want("requests", d.Asked, []string{"reload", "reload", "reload"})
}

func TestSettingsAreDisabledWithoutAgent(t *testing.T) {
	d := newLoadedDesk(t, Settings{Sound: true})
	test.Tap(d.toggle("sound"))
	d.settings.Disconnect()
	if !d.toggle("sound").On {
		t.Error("a change that no agent applied is shown")
	}
	d.Asked = nil
	test.Tap(d.toggle("udp"))
	test.Tap(d.settings.rows[0].focusTarget.(*widgets.Segment))
	test.Tap(&d.setting("test").focusTarget.(*widgets.Button).Button)
	d.Want("requests", d.Asked, nil)
}

func TestEveryTranslationIsListed(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	want := []string{"System"}
	for _, code := range assets.Languages() {
		want = append(want, words.LanguageName(code))
	}
	d.Want("languages", d.choice("language").Options, want)
	if !slices.Contains(want, "English") {
		t.Errorf("got languages %q, want English among them", want)
	}
	d.settings.SetSettings(Settings{Language: "xx"}) // edited by hand
	if got := d.choice("language").Selected; got != "xx" {
		t.Errorf("unsupported language: got %q, want xx", got)
	}
}

func TestDiagnosticsAreCopiedWithoutAgent(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	d.settings.Disconnect()
	row := d.setting(KeyDiagnostics)
	button := row.focusTarget.(*widgets.Button)
	if button.Disabled() {
		t.Error("the button is disabled without an agent, want enabled")
	}
	test.Tap(&button.Button)
	test.Tap(&button.Button) // the first one is pending
	d.Want("requests", d.Asked, []string{"diagnostics"})
	d.settings.ShowResult(KeyDiagnostics, "")
	if note := row.note.Segment.Text; note != "Copied" {
		t.Errorf("got note %q, want Copied", note)
	}
}

func TestLicencesOpenAndCloseByKeyboard(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	button := d.setting("licences").focusTarget.(*widgets.Button)
	test.Tap(&button.Button)
	overlays := d.Window.Canvas().Overlays()
	if overlays.Top() == nil {
		t.Fatal("no licences are shown")
	}
	if size, room := overlays.Top().MinSize(), d.Window.Canvas().Size(); size.Height > room.Height {
		t.Errorf("got size %v, want at most %v", size, room)
	}
	done := d.Window.Canvas().Focused().(*widgets.Button)
	done.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown})
	if done.Scroll.Offset.Y == 0 {
		t.Error("PageDown did not scroll the licences")
	}
	done.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if overlays.Top() != nil {
		t.Error("Esc did not close the licences")
	}
}

func TestSettingsListGerman(t *testing.T) {
	d := newLoadedDesk(t, Settings{Language: "de"})
	if c := d.choice("language"); c.Selected != "Deutsch" || !slices.Contains(c.Options, "English") {
		t.Errorf("got %q of %q, want Deutsch and English listed", c.Selected, c.Options)
	}
}

func TestLaterProblemIsVisible(t *testing.T) {
	d := newDesk(t)
	bar := d.settings.warning.Object
	for _, problems := range [][]string{nil, {"The settings file cannot be used"}, nil} {
		d.settings.ShowProblems(problems, false)
		if shown := bar.Visible() && bar.Size().Height > 0; shown != (problems != nil) {
			t.Errorf("with problems %q: bar visible %t, size %v", problems, shown, bar.Size())
		}
	}
}

func TestSettingsFileIsOpenedWithoutAgent(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	d.settings.Disconnect()
	row := d.setting(KeySettingsFile)
	button := row.focusTarget.(*widgets.Button)
	d.Window.Canvas().Focus(button)
	button.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	test.Tap(&button.Button) // the first one is pending
	d.Want("requests", d.Asked, []string{"open the settings file"})
	d.settings.ShowResult(KeySettingsFile, "Can't open it")
	if note := row.note.Segment.Text; note != "Can't open it" {
		t.Errorf("got note %q, want the problem", note)
	}
	d.settings.ShowResult(KeySettingsFile, "")
	if note := row.note.Segment.Text; note != row.help {
		t.Errorf("after success: got note %q, want the description", note)
	}
}

// The user dismisses a problem that is over, with the keyboard alone.
func TestProblemIsDismissedByKeyboard(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	d.settings.ShowProblems([]string{"The settings file cannot be used"}, false)
	if d.settings.warning.Dismiss.Visible() {
		t.Error("a problem that goes on can be dismissed")
	}
	d.settings.ShowProblems([]string{"The settings file was edited"}, true)
	c := d.Window.Canvas()
	c.Unfocus()
	c.FocusNext()
	if c.Focused() != d.settings.warning.Dismiss {
		t.Fatalf("the first Tab leads to %T, want Dismiss", c.Focused())
	}
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	d.Want("requests", d.Asked, []string{"dismiss the problems"})
	if focused, _ := c.Focused().(fyne.CanvasObject); focused != d.settings.rows[0].focusTarget {
		t.Errorf("afterwards the focus is on %T, want the first setting", c.Focused())
	}
	d.settings.ShowProblems(nil, false)
	if d.settings.warning.Object.Visible() {
		t.Error("the bar is still visible")
	}
}
