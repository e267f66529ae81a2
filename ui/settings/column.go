package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"porthole/ui/widgets"
)

// Sizes of the column of settings.
const (
	settingWidth   = 720 // maximum
	settingMargin  = 24  // around the column, and between groups
	settingHeading = 24  // height of a heading, with its gap
	settingPadding = 10  // inside a row
)

// settingColumn lays out groups of rows, whose texts may take several lines.
type settingColumn struct {
	groups  []settingGroup
	lines   [][]fyne.CanvasObject // separators between the rows of each group
	object  *fyne.Container
	width   float32 // of the last layout
	height  float32
	changed func() // called when the height changed
}

func newSettingColumn(groups []settingGroup) *settingColumn {
	c := &settingColumn{groups: groups, width: settingWidth, changed: func() {}}
	var all []fyne.CanvasObject
	for _, g := range groups {
		var lines []fyne.CanvasObject
		all = append(all, g.heading.Object, g.frame)
		for i, r := range g.rows {
			if i > 0 {
				lines = append(lines, widgets.Line())
				all = append(all, lines[i-1])
			}
			all = append(all, r.title.Object, r.note.Object, r.control)
		}
		c.lines = append(c.lines, lines)
	}
	c.object = container.New(c, all...)
	return c
}

// Refresh lays out the column again, after texts changed.
func (c *settingColumn) Refresh() { c.object.Refresh() }

// MinSize implements fyne.Layout.
func (c *settingColumn) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(2*settingMargin+widgets.ControlWidth*2, c.height)
}

// Layout implements fyne.Layout.
func (c *settingColumn) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	width := min(s.Width-2*settingMargin, settingWidth)
	left, y := (s.Width-width)/2, float32(settingMargin)
	for i, g := range c.groups {
		moveTo(g.heading.Object, left+2, y, width, settingHeading)
		y += settingHeading
		top := y
		for k, r := range g.rows {
			if k > 0 {
				moveTo(c.lines[i][k-1], left+1, y, width-2, 1)
			}
			y += r.layout(left+14, y, width-28)
		}
		moveTo(g.frame, left, top, width, y-top)
		y += settingMargin
	}
	if c.height != y {
		c.height = y
		c.changed()
	}
}

func moveTo(o fyne.CanvasObject, x, y, width, height float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(width, max(height, 0)))
}
