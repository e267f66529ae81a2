// Package table is a sortable list with a header. It is built on widget.List, because
// widget.Table selects cells, delays clicks by 300 ms and costs 130 times as much per
// refresh.
//
// Everything must be called on Fyne's goroutine.
package table

import (
	"iter"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// RowHeight is the height of a row and of the header.
const RowHeight = 32

// Row is one row. Key is its identity: two values with the same key are the same row at
// two times.
type Row interface {
	Key() string
	// Tint is the colour behind the row, "" for none.
	Tint() fyne.ThemeColorName
	// Mark describes the meaning of the tint in words. It replaces one cell; no text
	// means no mark.
	Mark() Cell
	// AccessibleText is the row's text for screen readers.
	AccessibleText() string
}

// Column is a column, declared as data.
type Column[R Row] struct {
	ID      string
	Label   string
	Name    string  // in the menu of columns, if Label is empty
	Width   float32 // the minimum, if there is enough space for all
	Grow    float32 // its share of the remaining space
	Right   bool    // aligned
	Mono    bool
	Extra   bool // hidden until the user shows it, or ShowColumn does
	Fits    bool // may become narrower than Width for the texts of others, and wider for its own; a column that grows always may
	Drop    int  // columns with the highest value disappear first in a narrow table; 0 never
	Yields  bool // disappears in a narrow table for columns without which rows look alike
	Marks   bool // shows the rows' marks; while it is hidden, the last visible column does
	Cell    func(R) Cell
	About   string           // describes the column beside the pointer
	Tip     func(R) string   // the text beside the pointer on a cell; nil or "" for the cell's own text if it is cut
	Compare func(a, b R) int // nil if the rows cannot be sorted by the column
	Tapped  func(R)          // called for a click on the cell, which then does not select the row; may be nil
}

// Cell is the content of a row in a column.
type Cell struct {
	Text   string
	Color  fyne.ThemeColorName // "" for the foreground colour
	Struck bool
	Badge  bool    // outlined in Color
	Size   float32 // of the text; 0 for the theme's
}

// Table shows rows. The table owns the selection; the list only draws it.
type Table[R Row] struct {
	widget.BaseWidget

	// OnOpen is called for a double click or Enter on a row, and for Enter on a head with
	// the first row of its group.
	OnOpen func(R)
	// OnSelect is called when the user selects a row.
	OnSelect func(R)
	// OnSpace is called for Space on a row.
	OnSpace func(R)
	// OnMenu is called for a right click and the Menu key, with the row and where to
	// put the menu.
	OnMenu func(R, fyne.Position)
	// OnKey is called for keys that the table does not handle.
	OnKey func(*fyne.KeyEvent)
	// TypeAhead returns the text that typed characters are compared with, to select the
	// row that begins with them; may be nil.
	TypeAhead func(R) string
	// OnRune is called for typed text that matches no row.
	OnRune func(rune)
	// Label names the table for screen readers.
	Label string
	// GroupHead returns the text of a group's head, for its rows and whether it is folded;
	// may be nil.
	GroupHead func(rows iter.Seq[R], folded bool) Head
	// HeaderItems returns further items for the menu of columns; may be nil.
	HeaderItems func() []*fyne.MenuItem

	dim      bool
	columns  []Column[R]
	hidden   []bool
	chosen   []bool // whether the user showed or hid the column
	needed   []bool // extra columns without which rows look alike
	vital    []bool // columns that KeepColumn keeps
	measured []measured
	dropped  []bool    // columns for which the table is too narrow
	dragged  []float32 // widths that the user set; 0 for none
	width    float32   // of all columns together
	rows     []R
	index    map[string]int // of rows, by key
	selected string
	hovered  string
	pointer  float32 // distance of the pointer from the upper edge of the list; negative if it is elsewhere
	// wantFirst means that the table was focused without a row to select; the first row
	// that appears is selected.
	wantFirst   bool
	sortBy      int // column; -1 for the order in which the rows were passed
	defaultSort int
	down        bool
	groups      groups[R]
	widgets     map[int]*rowWidget[R] // the visible ones, by their lines
	widths      []float32             // as shown; 0 for hidden columns
	list        *rowList[R]
	header      *header[R]
	body        fyne.CanvasObject
	clicks      clicks
	clickTarget clickTarget
	typing      typeAhead
	spareRows   int // empty rows at the end, see makeRoom
}

// New returns a table that is sorted by the column with id sortBy.
func New[R Row](columns []Column[R], sortBy string) *Table[R] {
	t := &Table[R]{columns: columns, pointer: -1, index: map[string]int{}, widgets: map[int]*rowWidget[R]{}}
	t.sortBy = slices.IndexFunc(columns, func(c Column[R]) bool { return c.ID == sortBy })
	t.defaultSort = t.sortBy
	t.widths, t.dragged, t.hidden = make([]float32, len(columns)), make([]float32, len(columns)), make([]bool, len(columns))
	t.chosen, t.needed, t.dropped = make([]bool, len(columns)), make([]bool, len(columns)), make([]bool, len(columns))
	t.vital, t.measured = make([]bool, len(columns)), make([]measured, len(columns))
	t.hideExtra()
	t.list = newRowList(t)
	t.header = newHeader(t)
	t.body = container.New(headerAboveList{}, t.header, container.NewThemeOverride(t.list, dense{}))
	t.ExtendBaseWidget(t)
	return t
}

// headerAboveList places the header above the list. Fyne's border layout would use the padding
// of the theme that is current at that moment.
type headerAboveList struct{}

// MinSize implements fyne.Layout.
func (headerAboveList) MinSize(o []fyne.CanvasObject) fyne.Size {
	header, list := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(header.Width, list.Width), header.Height+list.Height)
}

// Layout implements fyne.Layout.
func (headerAboveList) Layout(o []fyne.CanvasObject, s fyne.Size) {
	height := o[0].MinSize().Height
	o[0].Resize(fyne.NewSize(s.Width, height))
	o[1].Move(fyne.NewPos(0, height))
	o[1].Resize(fyne.NewSize(s.Width, max(s.Height-height, 0)))
}

// CreateRenderer implements fyne.Widget.
func (t *Table[R]) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.body) }

// Resize implements fyne.CanvasObject. It distributes the width among the columns. If the
// height changes, a bar above may have appeared or disappeared and have moved all rows under
// the pointer.
func (t *Table[R]) Resize(s fyne.Size) {
	if t.hovered != "" && s.Height != t.Size().Height {
		t.clickTarget = clickTarget{t.hovered, time.Now()}
	}
	t.distributeWidth(s.Width)
	t.BaseWidget.Resize(s)
	t.header.Refresh()
	t.RefreshRows()
}

// Dim greys all rows, to show that they are not live, or ends that.
func (t *Table[R]) Dim(dim bool) {
	if t.dim != dim {
		t.dim = dim
		t.RefreshRows()
	}
}

// Rows returns the rows in the order in which they are shown, with those of folded groups.
func (t *Table[R]) Rows() []R {
	if t.groups.of == nil {
		return slices.Clone(t.rows)
	}
	rows := make([]R, 0, len(t.rows))
	for _, g := range t.groups.order {
		rows = slices.AppendSeq(rows, t.rowsOf(g))
	}
	return rows
}

// Len returns how many rows there are.
func (t *Table[R]) Len() int { return len(t.rows) }

// Top returns the distance from the upper edge of the window to the first row.
func (t *Table[R]) Top() float32 {
	return fyne.CurrentApp().Driver().AbsolutePositionForObject(t.list).Y - t.list.GetScrollOffset()
}

// columnAt returns the column at x, -1 if there is none.
func (t *Table[R]) columnAt(x float32) int {
	for i, width := range t.widths {
		if x -= width; x < 0 {
			return i
		}
	}
	return -1
}
