package uitest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/monitor/reply"
	"porthole/monitor/watch"
	"porthole/ui/tooltip"
)

// Desk is a window on Fyne's software driver, with a clock that the test sets and a record of the
// requests to the program. It implements the Actions of the pages. The tests of a page embed it
// beside their page.
type Desk struct {
	T      testing.TB
	At     time.Time // the time of the clock
	App    fyne.App
	Window fyne.Window
	Asked  []string
	Last   monitor.Snapshot // the snapshot of the last Next or ChangeOwner

	// AnswerEnvironment answers the last call of Environment.
	AnswerEnvironment func(lines []string, problem string)
	// TryPageChanged reports on the page of the last call of OpenTryPage.
	TryPageChanged func(open bool, err error)
	// AnswerPort answers the last call of AskPort.
	AnswerPort   func(reply.Reply)
	AnswerOutput func(string)
}

// NewDesk returns a Desk whose app has that theme. It has no window yet.
func NewDesk(t testing.TB, theme fyne.Theme) Desk {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme)
	holdTooltips(t)
	return Desk{T: t, At: Start, App: app}
}

// tooltipDue shows the tooltip of what the pointer is on.
var tooltipDue = func() {}

// holdTooltips makes tooltips appear in ShowTooltip instead of after a time.
func holdTooltips(t testing.TB) {
	before := tooltip.After
	tooltip.Reset()
	tooltip.After = func(_ time.Duration, do func()) (cancel func()) {
		tooltipDue = do
		return func() { tooltipDue = func() {} }
	}
	t.Cleanup(func() { tooltip.Reset(); tooltip.After = before })
}

// ShowTooltip moves the pointer to a position in w, as if it rested there, and returns the text of
// the tooltip, with spaces for line breaks; "" if there is none.
func ShowTooltip(w fyne.Window, at fyne.Position) string {
	tooltip.Reset()
	test.MoveMouse(w.Canvas(), at.AddXY(1, 0))
	test.MoveMouse(w.Canvas(), at)
	tooltipDue()
	return tooltip.Shown()
}

// Host shows content in the window at that size and then calls focus, which gives something the
// keyboard focus. It creates the window if there is none.
func (d *Desk) Host(content fyne.CanvasObject, size fyne.Size, focus func()) {
	if d.Window == nil {
		d.Window = d.App.NewWindow("")
	}
	d.Window.SetPadded(false)
	d.Window.SetContent(tooltip.Layer(content))
	d.Window.Canvas().SetOnTypedKey(func(*fyne.KeyEvent) {})
	d.Window.Resize(size)
	focus()
	d.Window.Show()
}

// Now returns the time of the clock.
func (d *Desk) Now() time.Time { return d.At }

// Key passes a key that no widget handled to the window.
func (d *Desk) Key(e *fyne.KeyEvent) { d.Window.Canvas().OnTypedKey()(e) }

// Ask records a request.
func (d *Desk) Ask(format string, args ...any) {
	d.Asked = append(d.Asked, fmt.Sprintf(format, args...))
}

// The Actions of the pages. Each call is recorded.
func (d *Desk) Watch(port uint16)           { d.Ask("watch %d", port) }
func (d *Desk) Unwatch(port uint16)         { d.Ask("unwatch %d", port) }
func (d *Desk) SetWatches(_, r watch.Rules) { d.Ask("watches %+v", r) }
func (d *Desk) ChangeLabels(add, remove label.Rules) {
	d.Ask("labels +%+v -%+v", add, remove)
}
func (d *Desk) Pause(t time.Duration)              { d.Ask("pause %v", t) }
func (d *Desk) DismissWelcome()                    { d.Ask("welcomed") }
func (d *Desk) CloseTryPage()                      { d.Ask("close the page") }
func (d *Desk) DismissProblems()                   { d.Ask("dismiss the problems") }
func (d *Desk) AcceptExposed(l *monitor.Listener)  { d.Ask("accept %d", l.Port) }
func (d *Desk) Resume()                            { d.Ask("resume") }
func (d *Desk) TestNotification()                  { d.Ask("test") }
func (d *Desk) Set(key, value string)              { d.Ask("set %s %q", key, value) }
func (d *Desk) ReloadSettings()                    { d.Ask("reload") }
func (d *Desk) Refresh()                           { d.Ask("refresh") }
func (d *Desk) Quit()                              { d.Ask("quit") }
func (d *Desk) Close()                             { d.Ask("close") }
func (d *Desk) StartAgent()                        { d.Ask("restart") }
func (d *Desk) CopyDiagnostics()                   { d.Ask("diagnostics") }
func (d *Desk) OpenSettingsFile()                  { d.Ask("open the settings file") }
func (d *Desk) Copy(text string)                   { d.Ask("copy %s", text) }
func (d *Desk) OpenInBrowser(a string)             { d.Ask("browse %s", a) }
func (d *Desk) CopyURL(a string)                   { d.Ask("copy the URL of %s", a) }
func (d *Desk) InspectTraffic(l *monitor.Listener) { d.Ask("inspect %d", l.Port) }
func (d *Desk) OpenFolder(path string)             { d.Ask("folder %s", path) }

// Environment records the request. AnswerEnvironment answers it.
func (d *Desk) Environment(o monitor.Owner, done func([]string, string)) {
	d.Ask("environment of %d", o.PID)
	d.AnswerEnvironment = done
}

// OpenTryPage records the request. TryPageChanged reports on the page.
func (d *Desk) OpenTryPage(port uint16, changed func(bool, error)) {
	d.Ask("open a page on %d", port)
	d.TryPageChanged = changed
}

// AskPort records the request. AnswerPort answers it.
func (d *Desk) AskPort(l *monitor.Listener, done func(reply.Reply)) {
	d.Ask("what answers on %d", l.Port)
	d.AnswerPort = done
}

// Output is answered by AnswerOutput.
func (d *Desk) Output(_ monitor.Owner, done func(string)) { d.AnswerOutput = done }

// OpenLog records the request.
func (d *Desk) OpenLog(o monitor.Owner) { d.Ask("log of %d", o.PID) }

// GoToTerminal records the request.
func (d *Desk) GoToTerminal(o monitor.Owner) { d.Ask("terminal of %d", o.PID) }

// Stopping is an attempt to stop processes that records its calls. It implements the
// Stopping of the stop dialog.
type Stopping struct{ Desk *Desk }

// Stopping returns an attempt to stop owners, and records them.
func (d *Desk) Stopping(owners []monitor.Owner) Stopping {
	for _, o := range owners {
		d.Ask("hold %d", o.PID)
	}
	return Stopping{d}
}

// Keep records the first owner.
func (s Stopping) Keep(owners []monitor.Owner) { s.Desk.Ask("keep %d", owners[0].PID) }

// Terminate records the call.
func (s Stopping) Terminate(children bool) { s.Desk.Ask("stop, children %t", children) }

// ForceQuit records the call.
func (s Stopping) ForceQuit() { s.Desk.Ask("force") }

// RunManager records the command.
func (s Stopping) RunManager(command string) { s.Desk.Ask("run %s", command) }

// StartAgain records the call and succeeds.
func (s Stopping) StartAgain(done func(string, bool)) {
	s.Desk.Ask("start again")
	done("node runs again.", false)
}

// Close records the call.
func (s Stopping) Close() { s.Desk.Ask("end") }

// Next returns the monitor's update to a snapshot with listeners.
func (d *Desk) Next(listeners ...*monitor.Listener) monitor.Update {
	next := monitor.Apply(monitor.Snapshot{}, OpenedEvents(d.At, listeners))
	next.TakenAt = d.At
	var events []monitor.Event
	if d.Last.Listeners != nil {
		events = monitor.Diff(d.Last, next)
	}
	d.Last = next
	return monitor.Update{Snapshot: next, Events: events, Ready: true}
}

// ChangeOwner returns the update in which the owner of the listener with that index changes to the
// process pid, named deno.
func (d *Desk) ChangeOwner(i, pid int) monitor.Update {
	before := d.Last.Listeners[i]
	after := *before
	after.Owners = []monitor.Owner{{PID: pid, Start: 7, Name: "deno", User: "ada"}}
	events := []monitor.Event{{At: d.At, Kind: monitor.OwnerChanged, Listener: &after, Before: before}}
	d.Last = monitor.Apply(d.Last, events)
	return monitor.Update{Snapshot: d.Last, Events: events, Ready: true}
}

// Want fails the test if got differs from want.
func (d *Desk) Want(what string, got, want []string) {
	d.T.Helper()
	if !slices.Equal(got, want) {
		d.T.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// Did reports whether the request was recorded.
func (d *Desk) Did(what string) bool { return slices.Contains(d.Asked, what) }

// Overlay returns all texts of the window's top overlay, separated by |.
func (d *Desk) Overlay() string { return OverlayOf(d.Window) }

// OverlayOf returns all texts of w's top overlay, separated by |; "" if there is no overlay.
func OverlayOf(w fyne.Window) string {
	top := w.Canvas().Overlays().Top()
	if top == nil {
		return ""
	}
	var texts []string
	for _, text := range Texts(top) {
		texts = append(texts, text.Text)
	}
	return strings.Join(texts, "|")
}

// Choose clicks the text label in the window's top overlay.
func (d *Desk) Choose(label string) {
	d.T.Helper()
	d.ChooseIn(d.Window, label)
}

// ChooseIn clicks the text label in w's top overlay.
func (d *Desk) ChooseIn(w fyne.Window, label string) {
	d.T.Helper()
	for _, text := range Texts(w.Canvas().Overlays().Top()) {
		if text.Text == label {
			test.TapCanvas(w.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(text).AddXY(3, 3))
			return
		}
	}
	d.T.Fatalf("no text %q in overlay %q", label, OverlayOf(w))
}

// MenuItem taps the item with that index in the open menu.
func (d *Desk) MenuItem(i int) {
	d.T.Helper()
	over, ok := d.Window.Canvas().Overlays().Top().(fyne.Widget)
	if !ok {
		d.T.Fatal("no menu is open")
	}
	for _, o := range test.WidgetRenderer(over).Objects() {
		if menu, ok := o.(*widget.PopUpMenu); ok {
			menu.Items[i].(fyne.Tappable).Tapped(nil)
			return
		}
	}
	d.T.Fatal("the overlay is not a menu")
}

// WantText fails the test if the window's top overlay lacks one of texts.
func (d *Desk) WantText(texts ...string) {
	d.T.Helper()
	got := strings.ReplaceAll(d.Overlay(), "|", " ") // a sentence may continue on the next line
	for _, text := range texts {
		if !strings.Contains(got, text) {
			d.T.Errorf("overlay: got %q, want it to contain %q", got, text)
		}
	}
}
