package history

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// eventPane shows the history of one listener beside the list.
type eventPane struct {
	page   *Page
	show   func(port uint16)
	event  *history.Event  // the selected event
	events []history.Event // the events of its listener, oldest first
	failed bool

	body           *fyne.Container
	scroll         *container.Scroll
	showPort       *widgets.Button
	watchPort      *widgets.Button
	forgetPort     *widgets.Button
	forgetProject  *widgets.Button
	object         fyne.CanvasObject
	heading, about *canvas.Text
}

func newEventPane(p *Page, show func(uint16)) *eventPane {
	s := &eventPane{page: p, show: show}
	s.heading, s.about = widgets.NewText("", theme.ColorNameForeground), widgets.NewText("", table.ColorMuted)
	s.heading.TextSize, s.heading.TextStyle.Bold = 17, true
	s.showPort = widgets.NewButton(lang.L("Show port"), func() { s.show(s.event.Port) })
	s.watchPort = widgets.NewButton("", func() {
		p.Focus()
		p.actions.Watch(s.event.Port)
	})
	s.forgetPort = widgets.NewButton(lang.L("Delete port history…"), func() {
		p.forget(history.Forget{Port: s.event.Port},
			lang.L("The history of port {{.Port}} will be deleted. This cannot be undone.", map[string]any{"Port": s.event.Port}))
	})
	s.forgetProject = widgets.NewButton(lang.L("Delete project history…"), func() {
		p.forget(history.Forget{Project: s.event.Owner.Project},
			lang.L("The history of project {{.Project}} will be deleted. This cannot be undone.", map[string]any{"Project": monitor.Clean(s.event.Owner.Project, 60)}))
	})
	closeButton := widgets.NewIconButton(theme.CancelIcon(), lang.L("Close"), func() {
		s.close()
		p.Focus()
	})
	closeButton.Importance = widget.LowImportance
	s.body = container.NewVBox()
	s.scroll = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(0, 10, 9, 12), s.body))
	head := container.New(layout.NewCustomPaddedLayout(10, 4, 16, 6), container.NewBorder(nil, nil, nil, container.NewVBox(closeButton),
		tooltip.NewArea(container.New(layout.NewCustomPaddedVBoxLayout(0), s.heading, s.about), s.tip)))
	buttons := container.New(layout.NewCustomPaddedLayout(8, 10, 16, 12), container.New(
		layout.NewRowWrapLayoutWithCustomPadding(6, 6), s.showPort, s.watchPort, s.forgetPort, s.forgetProject))
	foot := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), buttons)
	side := container.New(widgets.TopMiddleBottom{}, head, s.scroll, foot)
	edge := widgets.NewRectangle(theme.ColorNameSeparator, fyne.NewSize(1, 1), 0)
	s.object = container.NewStack(widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), container.NewBorder(nil, nil, edge, nil, side))
	s.object.Hide()
	return s
}

// open shows the history of e's listener: first only e, then all events once they are loaded.
func (s *eventPane) open(e *history.Event) {
	if s.event != nil && s.event.ID == e.ID && s.object.Visible() {
		return
	}
	s.event, s.events, s.failed = e, []history.Event{*e}, false
	wasOpen := s.object.Visible()
	s.object.Show()
	s.build()
	s.scroll.ScrollToTop()
	if !wasOpen {
		s.page.Content.Refresh()
		s.page.reveal()
	}
	s.page.history.ListenerEvents(e.Listener, func(events []history.Event, err error) {
		if s.event != e {
			return
		}
		s.failed = err != nil
		events = slices.DeleteFunc(events, func(x history.Event) bool { return x.Boot != e.Boot }) // after a reboot the ID means another listener
		if slices.ContainsFunc(events, func(x history.Event) bool { return x.ID == e.ID }) {
			s.events = events
		}
		s.build()
	})
}

// titles returns the whole texts of the heading and the line below it.
func (s *eventPane) titles() (heading, about string) {
	e := s.events[len(s.events)-1]
	return words.PastOwner(e.Owner), strings.Join(without(words.Port(e.Protocol, e.Port), monitor.Clean(e.Owner.Service, 40)), " · ")
}

// tip returns the titles if one of them is cut.
func (s *eventPane) tip() string {
	heading, about := s.titles()
	if s.heading.Text == heading && s.about.Text == about {
		return ""
	}
	return heading + "\n" + about
}

func (s *eventPane) close() {
	if s.object.Visible() {
		s.object.Hide()
		s.event = nil
		s.page.Content.Refresh()
	}
}

// repaint rebuilds the pane in the colours of the current theme.
func (s *eventPane) repaint() {
	if s.event != nil {
		s.build()
	}
}

// tenure returns the period in which the listener was open, regardless of its owners.
func (s *eventPane) tenure() history.Tenure {
	last := s.events[len(s.events)-1]
	period := history.Tenure{Owner: last.Owner, From: last.OpenedAt, AlreadyOpen: last.AlreadyOpen}
	if last.Kind == monitor.Closed {
		period.To, period.Unobserved = last.At, last.Unobserved
	}
	return period
}

// build builds the content of the pane.
func (s *eventPane) build() {
	e, now := s.events[len(s.events)-1], s.page.now()
	o := e.Owner
	heading, about := s.titles()
	widgets.SetText(s.heading, table.Fit(heading, detailsWidth-64, s.heading.TextSize, s.heading.TextStyle), theme.ColorNameForeground)
	widgets.SetText(s.about, table.Fit(about, detailsWidth-64, s.about.TextSize, s.about.TextStyle), table.ColorMuted)
	facts := container.New(widgets.LabelledRows{Label: 84})
	add := func(label, value string) {
		if value != "" {
			facts.Add(widgets.NewText(label, table.ColorMuted))
			facts.Add(widgets.NewMono(value))
		}
	}
	add(lang.L("Open"), words.Tenure(s.tenure(), now))
	s.body.RemoveAll()
	s.body.Add(facts)
	what := widgets.NewCaption()
	widgets.SetText(what, lang.L("Events"), table.ColorMuted)
	s.body.Add(container.New(layout.NewCustomPaddedLayout(4, 0, 7, 0), what))
	s.body.Add(container.New(layout.NewCustomPaddedVBoxLayout(0), s.lines(now)...))
	if s.failed {
		note := widgets.NewCaption()
		widgets.SetText(note, lang.L("Can't read the other events"), uitheme.ColorAlert)
		s.body.Add(container.New(layout.NewCustomPaddedLayout(4, 0, 7, 0), note))
	}
	facts = container.New(widgets.LabelledRows{Label: 84})
	var addresses []string
	for _, a := range e.Addresses {
		addresses = append(addresses, a.String())
	}
	add(lang.L("Address"), strings.Join(addresses, ", "))
	if o.PID != 0 {
		add(lang.L("PID"), strconv.Itoa(o.PID))
	}
	add(lang.L("User"), monitor.Clean(o.User, 60))
	add(lang.L("Project"), monitor.Clean(o.Project, 100))
	add(lang.L("Command"), commandText(o))
	add(lang.L("Program"), monitor.Clean(o.Program, 400))
	add(lang.L("Folder"), monitor.Clean(o.Folder, 400))
	add(lang.L("Unit"), monitor.Clean(o.Unit, 200))
	add(lang.L("Container"), monitor.Clean(o.Container, 64))
	s.body.Add(facts)
	s.showButtons()
	s.body.Refresh()
}

// maxDetailEvents limits the number of events shown, because a listener of several months can have
// thousands.
const maxDetailEvents = 100

// lines returns the events, oldest first, as widgets.
func (s *eventPane) lines(now time.Time) []fyne.CanvasObject {
	events := s.events
	var out []fyne.CanvasObject
	if more := len(events) - maxDetailEvents; more > 0 {
		note := widgets.NewCaption()
		widgets.SetText(note, lang.N("{{.Count}} earlier events", more, map[string]any{"Count": words.Number(more)}), table.ColorMuted)
		out, events = append(out, container.New(layout.NewCustomPaddedLayout(2, 2, 7, 0), note)), events[more:]
	}
	for _, e := range events {
		shape, name := eventMark(&e)
		mark, at := widgets.NewSymbol(), widgets.NewCaption()
		widgets.SetText(mark, shape, name)
		widgets.SetText(at, words.Moment(e.At, now), table.ColorMuted)
		words := widget.NewLabel(eventSentence(&e))
		words.Wrapping = fyne.TextWrapWord
		text := container.New(tight{}, at, words)
		left := container.New(layout.NewCustomPaddedLayout(0, 0, 7, 4), container.New(layout.NewCustomPaddedVBoxLayout(0), mark))
		out = append(out, container.New(factRow{width: 22}, left, text))
	}
	return out
}

// without returns parts without empty strings.
func without(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

func (s *eventPane) showButtons() {
	if s.event == nil {
		return
	}
	watch := showButton(s.watchPort, lang.L("Watch {{.Port}}", map[string]any{"Port": s.event.Port}), !s.page.rules.WatchesPort(s.event.Port))
	if showButton(s.forgetProject, s.forgetProject.Text, s.event.Owner.Project != "") || watch {
		s.object.Refresh() // the buttons wrap differently now
	}
}

// factRow is a layout that places a mark of that width beside text that may take several lines.
type factRow struct{ width float32 }

// MinSize implements fyne.Layout.
func (f factRow) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[1].MinSize()
	return fyne.NewSize(f.width+m.Width, m.Height)
}

// Layout implements fyne.Layout.
func (f factRow) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(o[0].MinSize())
	o[1].Move(fyne.NewPos(f.width, 0))
	o[1].Resize(fyne.NewSize(s.Width-f.width, s.Height))
}

// tight is a layout that places a label close below a line of text, aligned with it.
type tight struct{}

// MinSize implements fyne.Layout.
func (tight) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height-widgets.Overlap)
}

// Layout implements fyne.Layout.
func (tight) Layout(o []fyne.CanvasObject, s fyne.Size) {
	above := o[0].MinSize().Height
	o[0].Resize(o[0].MinSize())
	o[0].Move(fyne.NewPos(widgets.Overlap+1, 2))
	o[1].Move(fyne.NewPos(0, above-widgets.Overlap+2))
	o[1].Resize(fyne.NewSize(s.Width, s.Height-above+widgets.Overlap))
}

// withDetails is a layout that gives the second object its width if it is visible, and the first
// one the rest.
type withDetails struct{}

// detailsWidth is the width of the details pane, in device-independent pixels.
const detailsWidth = 340

// MinSize implements fyne.Layout.
func (withDetails) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width, max(o[0].MinSize().Height, 100))
}

// Layout implements fyne.Layout.
func (withDetails) Layout(o []fyne.CanvasObject, s fyne.Size) {
	right := float32(0)
	if o[1].Visible() {
		right = min(detailsWidth, s.Width/2)
		o[1].Move(fyne.NewPos(s.Width-right, 0))
		o[1].Resize(fyne.NewSize(right, s.Height))
	}
	o[0].Resize(fyne.NewSize(s.Width-right, s.Height))
}
