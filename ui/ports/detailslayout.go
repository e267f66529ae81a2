package ports

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// This file has the layouts of the details pane.

// footed is a layout of a scroll area and a footer that stays visible below it.
type footed struct{}

// MinSize implements fyne.Layout.
func (footed) MinSize(o []fyne.CanvasObject) fyne.Size {
	return o[0].MinSize().AddWidthHeight(0, o[1].MinSize().Height)
}

// Layout implements fyne.Layout.
func (footed) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[1].Resize(fyne.NewSize(s.Width, 0)) // wrapping needs the width first
	foot, room := o[1].MinSize().Height, s.Height
	if scroll, ok := o[0].(*container.Scroll); ok {
		scroll.Resize(fyne.NewSize(s.Width, max(s.Height-foot, 0)))
		room = scroll.Content.MinSize().Height
	}
	top := max(min(room, s.Height-foot), 0)
	o[0].Resize(fyne.NewSize(s.Width, top))
	o[1].Move(fyne.NewPos(0, top))
	o[1].Resize(fyne.NewSize(s.Width, foot))
}

// besideLine is a layout with a vertical line, one pixel wide, to the left of the content.
type besideLine struct{}

// MinSize implements fyne.Layout.
func (besideLine) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(detailsPaneWidth, 0) }

// Layout implements fyne.Layout.
func (besideLine) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(fyne.NewSize(1, s.Height))
	o[1].Move(fyne.NewPos(1, 0))
	o[1].Resize(fyne.NewSize(max(s.Width-1, 0), s.Height))
}

// withDetailsPane is a layout that gives the details pane its width if the page is wide enough, and
// the table the rest. The pane keeps its place without a selection, so that the columns do not move.
// On a narrow page it takes the place of the table while detailsPane.page is set.
type withDetailsPane struct{ pane *detailsPane }

// MinSize implements fyne.Layout.
func (withDetailsPane) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

// Layout implements fyne.Layout.
func (w withDetailsPane) Layout(o []fyne.CanvasObject, s fyne.Size) {
	width, wide := float32(0), s.Width >= minWidthForDetails
	page := w.pane.page && w.pane.shown && !wide
	w.pane.page = page
	w.pane.object.Hidden, w.pane.backRow.Hidden = !wide && !page, !page
	o[0].(*fyne.Container).Hidden = page
	switch {
	case page:
		w.pane.object.Move(fyne.Position{})
		w.pane.object.Resize(s)
	case wide:
		width = detailsPaneWidth
		w.pane.object.Move(fyne.NewPos(s.Width-width, 0))
		w.pane.object.Resize(fyne.NewSize(width, s.Height))
	}
	o[0].Resize(fyne.NewSize(s.Width-width, s.Height))
}
