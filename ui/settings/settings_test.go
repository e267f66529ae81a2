package settings

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/assets"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// desk is the page in a window, and what it asked for.
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

// newLoadedDesk is a desk with settings that hold, and what was asked since.
func newLoadedDesk(t *testing.T, s Settings) *desk {
	t.Helper()
	d := newDesk(t)
	d.settings.SetSettings(s)
	d.setShown(true)
	d.Asked = nil
	return d
}

// setShown shows the page, or another one.
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

func (d *desk) choice(key string) *choice { return d.setting(key).focusTarget.(*choice) }

func (d *desk) number(key string) *numberEntry { return d.setting(key).focusTarget.(*numberEntry) }

func TestSettingsShowWhatHolds(t *testing.T) {
	d := newLoadedDesk(t, Settings{Theme: "dark", StartAtLogin: true, StartHidden: true, Notifications: true, Sound: true, PollingInterval: 300 * time.Millisecond,
		UDP: true, AllAddresses: true, HistoryDays: 30})
	for _, key := range []string{"start_at_login", "start_hidden", "notifications", "sound", "udp", "all_addresses"} {
		if !d.toggle(key).On {
			t.Errorf("%s is shown off", key)
		}
	}
	if got := d.choice("polling_interval").Selected; got != "300 ms" {
		t.Errorf("an interval that somebody wrote into the file is shown as %q", got)
	}
	if got := d.choice("language").Selected; got != "System" {
		t.Errorf("language %q", got)
	}
	if days, rows := d.number("history_days"), d.number("history_events"); days.Text != "30" || rows.Text != "" || rows.PlaceHolder != "100000" {
		t.Errorf("days %q, rows %q, usually %q", days.Text, rows.Text, rows.PlaceHolder)
	}
	d.settings.SetSettings(Settings{}) // the file was edited
	for _, key := range []string{"start_at_login", "start_hidden", "notifications", "sound", "udp", "all_addresses"} {
		if d.toggle(key).On {
			t.Errorf("%s is still shown on", key)
		}
	}
	if interval, days := d.choice("polling_interval").Selected, d.number("history_days").Text; interval != "Automatic" || days != "" {
		t.Errorf("interval %q, days %q", interval, days)
	}
	d.Want("asked", d.Asked, nil)
}

func TestAChoiceIsAskedFor(t *testing.T) {
	d := newLoadedDesk(t, Settings{Notifications: true})
	test.Tap(d.toggle("notifications"))
	test.Tap(d.toggle("start_at_login"))
	d.choice("polling_interval").SetSelected("2 s")
	d.choice("polling_interval").SetSelected("Automatic")
	d.choice("language").SetSelected("English")
	test.Tap(d.settings.rows[0].focusTarget.(*widgets.Segment)) // the first of the theme's
	test.Tap(d.settings.rows[1].focusTarget.(*widgets.Segment)) // and of the tray icon's
	d.Want("asked", d.Asked, []string{`set notifications "false"`, `set start_at_login "true"`, `set polling_interval "2s"`, `set polling_interval ""`, `set language "en"`, `set theme ""`, `set tray_icon ""`})
}

func TestARefusalIsSaidAndTheTruthShown(t *testing.T) {
	d := newLoadedDesk(t, Settings{Notifications: true})
	sound := d.toggle("sound")
	test.Tap(sound)
	if !sound.On {
		t.Error("the control waits for the answer")
	}
	d.settings.SetSettings(Settings{Notifications: true})
	d.settings.ShowResult("sound", "Can't change the setting: the disk is full")
	if r := d.setting("sound"); sound.On || r.note.Segment.Text != "Can't change the setting: the disk is full" {
		t.Errorf("on %v, said %q", sound.On, r.note.Segment.Text)
	}
	d.setShown(false)
	d.setShown(true)
	if got := d.setting("sound").note.Segment.Text; got != d.setting("sound").help {
		t.Errorf("the next time it says %q", got)
	}
}

func TestWhatWasChosenSinceIsNotUndoneByAnOlderAnswer(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	udp := d.toggle("udp")
	for range 3 { // on, off, on
		test.Tap(udp)
	}
	for i, on := range []bool{true, false, true} {
		d.settings.SetSettings(Settings{UDP: on})
		d.settings.ShowResult("udp", "")
		if !udp.On {
			t.Errorf("answer %d switched it off", i+1)
		}
	}
	d.settings.SetSettings(Settings{})
	if udp.On {
		t.Error("after the answers the truth is not shown")
	}
}

func TestNumbersAreCheckedWhileTyped(t *testing.T) {
	d := newLoadedDesk(t, Settings{HistoryDays: 30})
	days, row := d.number("history_days"), d.setting("history_days")
	canvas := d.Window.Canvas()
	enter, escape := &fyne.KeyEvent{Name: fyne.KeyReturn}, &fyne.KeyEvent{Name: fyne.KeyEscape}
	canvas.Focus(days)
	for _, wrong := range []string{"0", "3651", "-1", "1.5", "long"} {
		days.SetText(wrong)
		if !strings.HasPrefix(row.note.Segment.Text, "Enter a number from 1 to 3650") {
			t.Errorf("%q: said %q", wrong, row.note.Segment.Text)
		}
		days.TypedKey(enter)
	}
	d.Want("asked for what is no number", d.Asked, nil)
	days.TypedKey(escape)
	if days.Text != "30" || row.note.Segment.Text != row.help {
		t.Errorf("Esc: %q, said %q", days.Text, row.note.Segment.Text)
	}
	days.SetText("7")
	canvas.Focus(d.number("history_events")) // half a number must not erase activity
	if row.note.Segment.Text != "Enter to apply, Esc to cancel" {
		t.Errorf("of a number that is not taken: %q", row.note.Segment.Text)
	}
	d.settings.SetSettings(Settings{HistoryDays: 31})
	if days.Text != "7" {
		t.Errorf("while typing it became %q", days.Text)
	}
	d.Want("asked while typing", d.Asked, nil)
	days.TypedKey(enter)
	d.settings.SetSettings(Settings{HistoryDays: 7})
	d.settings.ShowResult("history_days", "")
	days.SetText("")
	days.TypedKey(enter)
	d.Want("asked", d.Asked, []string{`set history_days "7"`, `set history_days ""`})
	d.settings.ShowResult("history_days", "Can't change the setting: no")
	if days.Text != "7" {
		t.Errorf("refused: %q; want 7, which holds", days.Text)
	}
}

func TestTheTestNotificationTellsWhatBecameOfIt(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	button := d.setting("test").focusTarget.(*widgets.Button)
	said := func() string { return d.setting("test").note.Segment.Text }
	test.Tap(&button.Button)
	test.Tap(&button.Button) // one is under way
	d.Want("asked", d.Asked, []string{"test"})
	d.settings.ShowResult("test", "This desktop shows no notifications")
	if said() != "This desktop shows no notifications" {
		t.Errorf("said %q", said())
	}
	test.Tap(&button.Button)
	d.settings.ShowResult("test", "")
	if !strings.HasPrefix(said(), "Sent. If no notification appeared") {
		t.Errorf("said %q", said())
	}
}

func TestSettingsByKeyboardAlone(t *testing.T) {
	d := newDesk(t)
	d.settings.SetSettings(Settings{})
	d.Window.Resize(fyne.NewSize(900, 400))
	canvas := d.Window.Canvas()
	d.setShown(true)
	reached := map[string]bool{}
	for range 40 {
		for _, r := range d.settings.rows {
			if focused, ok := canvas.Focused().(fyne.CanvasObject); ok && (focused == r.focusTarget || r.key == "theme" && r.control != nil && isSegment(focused)) {
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
	d.Asked = nil
	canvas.Focus(d.toggle("udp"))
	canvas.Focused().TypedRune(' ')
	canvas.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	d.Want("asked", d.Asked, []string{`set udp "true"`, `set udp "false"`})
}

func isSegment(o fyne.CanvasObject) bool { _, ok := o.(*widgets.Segment); return ok }

func TestWhatOthersChangeIsLookedForWhileThePageIsSeen(t *testing.T) {
	d := newDesk(t)
	d.setShown(true)
	for range 4 {
		d.settings.Tick()
	}
	d.setShown(false)
	for range 4 {
		d.settings.Tick()
	}
	d.Want("asked", d.Asked, []string{"reload", "reload", "reload"})
}

func TestSettingsOfADeadAgentCannotBeChanged(t *testing.T) {
	d := newLoadedDesk(t, Settings{Sound: true})
	test.Tap(d.toggle("sound"))
	d.settings.Disconnect()
	if !d.toggle("sound").On {
		t.Error("what was asked of nobody is shown as if it held")
	}
	d.Asked = nil
	test.Tap(d.toggle("udp"))
	test.Tap(d.settings.rows[0].focusTarget.(*widgets.Segment))
	test.Tap(&d.setting("test").focusTarget.(*widgets.Button).Button)
	d.Want("asked", d.Asked, nil)
}

func TestEveryTranslationCanBeChosen(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	want := []string{"System"}
	for _, code := range assets.Languages() {
		want = append(want, words.LanguageName(code))
	}
	d.Want("languages", d.choice("language").Options, want)
	if !slices.Contains(want, "English") {
		t.Errorf("English is not among %q", want)
	}
	d.settings.SetSettings(Settings{Language: "xx"}) // by hand
	if got := d.choice("language").Selected; got != "xx" {
		t.Errorf("a language that Porthole does not speak is shown as %q", got)
	}
}

func TestDiagnosticsAreCopiedAlsoWithoutAnAgent(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	d.settings.Disconnect()
	row := d.setting(KeyDiagnostics)
	button := row.focusTarget.(*widgets.Button)
	if button.Disabled() {
		t.Error("the button is disabled without an agent; want it most there")
	}
	test.Tap(&button.Button)
	test.Tap(&button.Button) // one is under way
	d.Want("asked", d.Asked, []string{"diagnostics"})
	d.settings.ShowResult(KeyDiagnostics, "")
	if said := row.note.Segment.Text; said != "Copied" {
		t.Errorf("said %q, want that it is copied", said)
	}
}

func TestLicencesAreShownAndLeftByTheKeyboard(t *testing.T) {
	d := newLoadedDesk(t, Settings{})
	button := d.setting("licences").focusTarget.(*widgets.Button)
	test.Tap(&button.Button)
	overlays := d.Window.Canvas().Overlays()
	if overlays.Top() == nil {
		t.Fatal("nothing is shown")
	}
	if size, room := overlays.Top().MinSize(), d.Window.Canvas().Size(); size.Height > room.Height {
		t.Errorf("the licences take %v of %v", size, room)
	}
	done := d.Window.Canvas().Focused().(*widgets.Button)
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
	d := newLoadedDesk(t, Settings{Language: "de"})
	if c := d.choice("language"); c.Selected != "Deutsch" || !slices.Contains(c.Options, "English") {
		t.Errorf("%q of %q", c.Selected, c.Options)
	}
}

func TestAProblemThatComesLaterHasItsPlace(t *testing.T) {
	d := newDesk(t)
	bar := d.settings.warning.Object
	for _, problems := range [][]string{nil, {"The settings file cannot be used"}, nil} {
		d.settings.ShowProblems(problems)
		if shown := bar.Visible() && bar.Size().Height > 0; shown != (problems != nil) {
			t.Errorf("with %q the bar is shown: %t, of %v", problems, shown, bar.Size())
		}
	}
}
