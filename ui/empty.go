package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor/history"
	"porthole/ui/table"
)

// emptyState says something useful where the table has no rows.
type emptyState struct {
	title, last, more *canvas.Text
	watch             *keyButton
	port              uint16
	object            fyne.CanvasObject
}

func newEmptyState(actions Actions, done func()) *emptyState {
	e := &emptyState{title: canvas.NewText("", color.Transparent), more: canvas.NewText("", color.Transparent)}
	e.last = canvas.NewText("", color.Transparent)
	e.last.TextSize, e.last.Alignment = 13, fyne.TextAlignCenter
	e.title.TextSize, e.title.Alignment = 17, fyne.TextAlignCenter
	e.more.TextSize, e.more.Alignment = 13, fyne.TextAlignCenter
	e.watch = newButton("", func() {
		actions.Watch(e.port)
		done() // with the button, which would keep the keyboard
	})
	e.watch.Importance = widget.HighImportance
	e.object = container.NewCenter(container.NewVBox(e.title, e.last, e.more, container.NewCenter(e.watch)))
	e.object.Hide()
	return e
}

func (e *emptyState) hide() {
	if e.object.Visible() {
		e.object.Hide()
	}
}

// show shows two lines, and offers to watch port where that is not 0.
func (e *emptyState) show(title, more string, port uint16) { e.showWith(title, "", more, port) }

// showWith is say with a line between the two.
func (e *emptyState) showWith(title, last, more string, port uint16) {
	setText(e.title, title, theme.ColorNameForeground)
	setText(e.last, last, theme.ColorNameForeground)
	e.last.Hidden, e.more.Hidden = last == "", more == ""
	setText(e.more, more, table.ColorMuted)
	e.port = port
	if port == 0 {
		e.watch.Hide()
	} else {
		e.watch.SetText(lang.L("Watch {{.Port}}", map[string]any{"Port": port}))
		e.watch.Show()
	}
	e.object.Show()
	e.object.Refresh()
}

// lastOwner is who had the port that the filter asks for.
type lastOwner struct {
	port   uint16 // 0: not asked
	tenure history.Tenure
	known  bool
}

func (p *portsPage) showEmpty(rows int) {
	if rows > 0 || p.filter.Port() == 0 {
		p.lastOwner = lastOwner{} // to be asked anew: who closed it is remembered since
	}
	switch {
	case rows > 0:
		p.empty.hide()
	case p.matching > 0:
		p.empty.show(lang.L("Nothing matches"), lang.N("All shows {{.Count}} ports", p.matching, map[string]any{"Count": formatInt(p.matching)}), 0)
	case !p.live:
		p.empty.show(lang.L("Porthole is not watching"), lang.L("What listens now is not known"), 0)
	case p.status.Health.Problem != "":
		p.empty.show(lang.L("The ports cannot be read just now"), lang.L("It is tried again; until then nobody knows what listens"), 0)
	case !p.ready:
		p.empty.show(lang.L("Looking…"), "", 0)
	case p.filter.Port() != 0:
		port := p.filter.Port()
		text := lang.L("{{.Port}} is free", map[string]any{"Port": port})
		more, offer := lang.L("Nothing listens there on loopback"), port
		if p.status.Rules.WatchesPort(port) {
			more, offer = lang.L("You watch it: a notification comes when it opens"), 0
		}
		p.empty.showWith(text, p.lastOwnerText(port), more, offer)
	case p.filter.above:
		p.empty.show(lang.L("Nothing matches"), lang.L("No port is above 65535, and no process shown here has this PID"), 0)
	case !p.filter.Empty():
		p.empty.show(lang.L("Nothing matches"), lang.L("Words are ANDed; a range is 3000-3999; Esc clears"), 0)
	default:
		p.empty.show(lang.L("Nothing listens on loopback"), lang.L("What opens a port appears here at once"), 0)
	}
}

// lastOwnerText says who had the port last, or asks; "" where nothing is known.
func (p *portsPage) lastOwnerText(port uint16) string {
	if p.lastOwner.port == port {
		if !p.lastOwner.known {
			return ""
		}
		return lastOwnerSentence(p.lastOwner.tenure, p.now())
	}
	p.lastOwner = lastOwner{port: port}
	if p.history != nil {
		p.history.LastOwner(port, func(spell history.Tenure, known bool, err error) {
			if p.lastOwner.port == port {
				p.lastOwner.tenure, p.lastOwner.known = spell, known && err == nil
				p.showEmpty(p.table.Len())
			}
		})
	}
	return ""
}
