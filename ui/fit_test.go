package ui

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/ui/settings"
	"porthole/ui/tooltip"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// Tiling desktops give windows any size; half of a screen at 200 % can be 480 wide.
func TestEachPageFitsNarrowScreen(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) {
			if language == "de" {
				uitest.InGerman(t)
			}
			d, r := scene(t, "dark", MinimumSize, 2)
			for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
				d.ShowPage(page)
				r.Answer()
				if got := d.tabs.Object.MinSize(); got.Width > MinimumSize.Width || got.Height > MinimumSize.Height {
					t.Errorf("%s: got minimum size %v, want at most %v", page, got, MinimumSize)
				}
			}
		})
	}
}

// A minimum size that changes with the content makes Fyne undo a resize in progress.
func TestMinimumSizeIsConstant(t *testing.T) {
	d, r := scene(t, "dark", fyne.NewSize(640, 400), 1)
	for _, size := range []fyne.Size{MinimumSize, DefaultSize} {
		d.window.Resize(size)
		for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
			d.ShowPage(page)
			r.Answer()
			if got := d.window.Content().MinSize(); got != MinimumSize {
				t.Errorf("%s in a window of %v: got minimum size %v, want %v", page, size, got, MinimumSize)
			}
		}
	}
}

// The filter of a window that was closed for a while is not restored: it would hide most ports.
func TestOldFilterIsForgotten(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.FilterField().SetText("python")
	state := d.State()
	for after, want := range map[time.Duration]string{time.Minute: "python", keepFilter + time.Minute: ""} {
		next := newDesk(t)
		next.At = d.At.Add(after)
		next.Restore(state)
		if got := next.ports.FilterField().Text; got != want {
			t.Errorf("%v later: got filter %q, want %q", after, got, want)
		}
	}
}

func TestCtrlFSelectsFilter(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	field := d.ports.FilterField()
	field.SetText("python")
	d.ports.Table().Focus()
	uitest.Shortcut(d.window, widgets.Ctrl(fyne.KeyF).Shortcut())
	if got := field.SelectedText(); got != "python" {
		t.Errorf("got selected text %q, want the old filter", got)
	}
	field.TypedRune('n')
	if field.Text != "n" {
		t.Errorf("after typing: got filter %q, want n", field.Text)
	}
}

func TestZoomKeys(t *testing.T) {
	d := newDesk(t)
	var zooms []int
	d.OnZoom = func(percent int) { zooms = append(zooms, percent) }
	press := func(c widgets.Chord) { uitest.Shortcut(d.window, c.Shortcut()) }
	press(widgets.ZoomInKeys)
	d.setSettings(settings.Settings{Zoom: 110})
	press(widgets.ZoomOutKeys)
	press(widgets.ZoomResetKeys)
	d.setSettings(settings.Settings{Zoom: settings.ZoomSteps[len(settings.ZoomSteps)-1]})
	press(widgets.ZoomInKeys) // there is no further step
	d.setSettings(settings.Settings{})
	d.Want("requests", d.Asked, []string{`set zoom "110"`, `set zoom ""`, `set zoom ""`})
	if want := []int{110, 200, 100}; !slices.Equal(zooms, want) {
		t.Errorf("got zooms %v, want %v", zooms, want)
	}
}

// Icons, switches, headers and cut texts have tooltips.
func TestTooltips(t *testing.T) {
	d := newDesk(t)
	odd := uitest.Listening(3000, "node", 10)
	odd.Owners[0].Program, odd.Project = "/tmp/node", "a project with a name too long for its narrow column"
	d.see(odd)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(d.ports.Table())
	shown := func(pos fyne.Position) string { return uitest.ShowTooltip(d.window, pos) }
	for what, c := range map[string]struct {
		at   fyne.Position
		want string
	}{
		"star's header":    {at.AddXY(10, 10), "Watch: a star means that you are notified about the port"},
		"warning's header": {at.AddXY(45, 10), "Warnings: something about the process deserves attention"},
		"star":             {at.AddXY(10, 45), "Watch"},
		"warning":          {at.AddXY(45, 45), "The program or its script is in /tmp, a folder for temporary or downloaded files. Check that you trust it."},
		"port":             {at.AddXY(90, 45), ""},
	} {
		if got := shown(c.at); got != c.want {
			t.Errorf("%s: got tooltip %q, want %q", what, got, c.want)
		}
	}
	for x := float32(100); ; x += 20 {
		if x > 700 {
			t.Error("no tooltip with the whole name of the project")
			break
		}
		if shown(at.AddXY(x, 45)) == odd.Project {
			break
		}
	}
	var many []*monitor.Listener
	for i := range 100 {
		many = append(many, uitest.Listening(uint16(4000+i), "node", 1000+i))
	}
	d.see(append(many, odd)...)
	at = fyne.CurrentApp().Driver().AbsolutePositionForObject(d.ports.Table()) // the filter bar has grown
	if shown(at.AddXY(10, 45)) == "" {
		t.Error("no tooltip before scrolling")
	}
	test.Scroll(d.window.Canvas(), at.AddXY(10, 45), 0, -200)
	if got := tooltip.Shown(); got != "" {
		t.Errorf("scrolled: got tooltip %q, want none", got)
	}
	if shown(at.AddXY(10, 45)) == "" {
		t.Error("no tooltip after scrolling")
	}
	d.tabs.Step(1)
	if got := tooltip.Shown(); got != "" {
		t.Errorf("another page: got tooltip %q, want none", got)
	}
}
