// Package table is a sortable list with a header. It is built on widget.List, because
// widget.Table selects cells, delays clicks by 300 ms and costs 130 times as much per
// refresh.
//
// Everything must be called on Fyne's goroutine.
package table

import (
	"cmp"
	"image/color"
	"iter"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
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

// SetRows shows rows. The selection stays with its key. Rows that appear or disappear
// above the row under the pointer do not move that row.
func (t *Table[R]) SetRows(rows []R) {
	t.keepInPlace(func() { t.replaceRows(rows) })
}

// ShowRows shows other rows because the user asked for them, such as those of another
// filter. Unlike with SetRows, rows may move under the pointer. The selected row stays in
// place if it was visible.
func (t *Table[R]) ShowRows(rows []R) {
	t.hovered = ""
	anchor, at := t.anchor()
	t.replaceRows(rows)
	t.list.Refresh()
	t.restoreAnchor(anchor, at, 0)
	t.rearranged()
}

// replaceRows sets the rows.
func (t *Table[R]) replaceRows(rows []R) {
	t.rows = append(t.rows[:0], rows...)
	t.sortRows()
	if t.wantFirst {
		t.selectFirst()
	}
}

// keepInPlace changes the rows and keeps the one under the pointer in place.
func (t *Table[R]) keepInPlace(change func()) {
	anchor, at := t.anchor()
	under, before := t.rowOffset(t.hovered), t.length()
	change()
	if t.length() != before {
		t.list.Refresh() // the list is longer or shorter
	} else {
		t.showRows()
	}
	t.restoreAnchor(anchor, at, under)
}

// Update redraws a row that changed in place. It does nothing and returns false if the
// row is not shown or may have to move: in that case call SetRows.
func (t *Table[R]) Update(r R) bool {
	i, ok := t.index[r.Key()]
	if !ok || t.compare(t.rows[i], r) != 0 {
		return false
	}
	if of := t.groups.of; of != nil && of(t.rows[i]) != of(r) {
		t.rows[i] = r
		t.keepInPlace(func() { t.moveToGroup(i, of(r)) })
		return true
	}
	t.rows[i] = r
	if of := t.groups.of; of != nil {
		g := t.groups.lines[t.groups.lineOf[i]].group
		g.head = nil
		t.showLine(g.line)
	}
	line, _ := t.lineOf(r.Key())
	t.showLine(line)
	return true
}

// showLine redraws a line if it is visible.
func (t *Table[R]) showLine(i int) {
	if w := t.widgets[i]; w != nil {
		w.show(i)
	}
}

// Dim greys all rows, to show that they are not live, or ends that.
func (t *Table[R]) Dim(dim bool) {
	if t.dim != dim {
		t.dim = dim
		t.RefreshRows()
	}
}

// RefreshRows redraws the visible cells that changed, after rows changed in place. It
// does not refresh the list, which would redraw every text.
func (t *Table[R]) RefreshRows() {
	t.groups.forgetHeads()
	t.showRows()
}

// showRows is RefreshRows for rows that did not change in place.
func (t *Table[R]) showRows() {
	if t.spareRows > 0 && t.hovered == "" {
		t.makeRoom(0)
	}
	first := int(t.list.GetScrollOffset()/RowHeight) - 1
	last := first + int(t.list.Size().Height/RowHeight) + 3
	for i, w := range t.widgets {
		if i < first || i > last || i >= t.length() {
			delete(t.widgets, i) // it was scrolled away; the list reuses or drops it
			continue
		}
		w.show(i)
	}
}

// setWidget records the widget in which the list shows a row.
func (t *Table[R]) setWidget(i int, w *rowWidget[R]) {
	if t.widgets[w.index] == w {
		delete(t.widgets, w.index)
	}
	t.widgets[i] = w
}

// sortRows sorts and groups the rows and indexes their keys.
func (t *Table[R]) sortRows() {
	if t.sortBy >= 0 && t.columns[t.sortBy].Compare != nil {
		slices.SortFunc(t.rows, func(a, b R) int { return cmp.Or(t.compare(a, b), cmp.Compare(a.Key(), b.Key())) })
	}
	t.groupRows()
	clear(t.index)
	for i, r := range t.rows {
		t.index[r.Key()] = i
	}
}

// compare compares two rows by the sorted column.
func (t *Table[R]) compare(a, b R) int {
	if t.sortBy < 0 || t.columns[t.sortBy].Compare == nil {
		return 0
	}
	c := t.columns[t.sortBy].Compare(a, b)
	if t.down {
		return -c
	}
	return c
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

// Sorting returns the column that the rows are sorted by and the direction.
func (t *Table[R]) Sorting() (column string, down bool) {
	if t.sortBy < 0 {
		return "", false
	}
	return t.columns[t.sortBy].ID, t.down
}

// Sort sorts by the column with that ID.
func (t *Table[R]) Sort(column string, down bool) {
	i := slices.IndexFunc(t.columns, func(c Column[R]) bool { return c.ID == column && c.Compare != nil })
	if i < 0 || t.hidden[i] && i != t.defaultSort {
		return
	}
	t.sortBy, t.down = i, down
	t.sortRows()
	t.header.Refresh()
	t.rearranged()
	t.reveal()
}

// cycleSorting does what a click on a header does: sort ascending, then descending, then the
// initial order.
func (t *Table[R]) cycleSorting(column int) {
	switch c := t.columns[column]; {
	case c.Compare == nil:
	case column == t.sortBy && t.down && t.defaultSort >= 0:
		t.Sort(t.columns[t.defaultSort].ID, false)
	default:
		t.Sort(c.ID, column == t.sortBy && !t.down)
	}
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

// Selected returns the selected row, and false if there is none or it is not shown. If a
// head is selected, it is the first row of its group.
func (t *Table[R]) Selected() (r R, ok bool) {
	if i, ok := t.index[t.selected]; ok {
		return t.rows[i], true
	}
	i, ok := t.lineOf(t.selected)
	if !ok {
		return r, false
	}
	return t.rowAt(i), true
}

// Select selects the row with key and scrolls to it. It unfolds the row's group. If there
// is no such row yet, it is selected when it appears.
func (t *Table[R]) Select(key string) {
	t.setSelected(key)
	if i, ok := t.lineOf(key); ok && !strings.HasPrefix(key, headPrefix) {
		if g := t.headAt(i); g != nil {
			t.fold(g, false)
		}
	}
	t.reveal()
}

// setSelected selects without scrolling.
func (t *Table[R]) setSelected(key string) {
	t.wantFirst, t.typing = false, typeAhead{}
	if t.selected == key {
		return
	}
	t.selected = key
	t.RefreshRows()
	if r, ok := t.Selected(); ok && t.OnSelect != nil {
		t.OnSelect(r)
	}
}

// selectFirst selects the first row, or the first that appears, if the selected row is
// not shown.
func (t *Table[R]) selectFirst() {
	t.wantFirst = len(t.rows) == 0
	if _, ok := t.Selected(); !ok && !t.wantFirst {
		t.setSelected(t.keyOf(0))
	}
}

// reveal scrolls to the selected row unless it is fully visible.
func (t *Table[R]) reveal() {
	i, ok := t.lineOf(t.selected)
	if !ok {
		return
	}
	if y := float32(i)*RowHeight - t.list.GetScrollOffset(); y < 0 || y+RowHeight > t.list.Size().Height {
		t.list.ScrollTo(i)
	}
}

// move moves the selection by n lines.
func (t *Table[R]) move(n int) {
	if len(t.rows) == 0 {
		return
	}
	i, ok := t.lineOf(t.selected)
	if !ok {
		i = -1
		if n < 0 {
			i = t.length()
		}
	}
	i = min(max(i+n, 0), t.length()-1)
	t.Select(t.keyOf(i))
}

// Focus gives the table the keyboard focus.
func (t *Table[R]) Focus() { FocusOn(t.list) }

// FocusOn gives o the keyboard focus if it is visible in a window. Fyne's driver knows
// only the canvas of objects that it has drawn recently. For an object that is about to
// become visible FocusOn uses the first window, whose pages appear and disappear.
func FocusOn(o fyne.Focusable) {
	x, ok := o.(fyne.CanvasObject)
	if !ok {
		return
	}
	driver := fyne.CurrentApp().Driver()
	c := driver.CanvasForObject(x)
	if all := driver.AllWindows(); c == nil && len(all) > 0 {
		c = all[0].Canvas()
	}
	if c != nil {
		c.Focus(o)
	}
}

// page returns the number of rows that are visible at once.
func (t *Table[R]) page() int { return max(int(t.list.Size().Height/RowHeight)-1, 1) }

// Dense returns the theme for lists whose rows touch.
func Dense() fyne.Theme { return dense{} }

// dense is the theme inside the table, without padding between rows.
type dense struct{}

func (dense) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) (c color.Color) {
	return fyne.CurrentApp().Settings().Theme().Color(n, v)
}
func (dense) Font(s fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(s)
}
func (dense) Icon(n fyne.ThemeIconName) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Icon(n)
}
func (dense) Size(n fyne.ThemeSizeName) float32 {
	if n == theme.SizeNamePadding {
		return 0
	}
	return fyne.CurrentApp().Settings().Theme().Size(n)
}
