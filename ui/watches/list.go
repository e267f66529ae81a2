package watches

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// ruleList is the list of rules. It uses scrolling and row reuse of Fyne's list. The page owns the
// selection and handles the keys.
type ruleList struct {
	widget.List
	page    *Page
	rows    []*ruleRow // all rows created so far: as many as fit
	focused bool
	clicked int // row of the last click
	at      time.Time
}

func newRuleList(p *Page) *ruleList {
	l := &ruleList{page: p}
	l.Length = func() int { return len(p.views) }
	l.CreateItem = func() fyne.CanvasObject { return newRuleRow(p) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		r, ok := o.(*ruleRow)
		if !ok {
			return
		}
		if r.index < 0 { // first use; Fyne creates some rows only to measure them
			l.rows = append(l.rows, r)
		}
		r.index = i
		r.show()
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// show repaints the rows that differ.
func (l *ruleList) show() {
	for _, r := range l.rows {
		r.show()
	}
}

// FocusGained implements fyne.Focusable.
func (l *ruleList) FocusGained() {
	l.focused = true
	l.page.choose(max(l.page.selected, 0))
}

// FocusLost implements fyne.Focusable.
func (l *ruleList) FocusLost() {
	l.focused = false
	l.show()
}

// TypedKey implements fyne.Focusable.
func (l *ruleList) TypedKey(e *fyne.KeyEvent) { l.page.key(e) }

// TypedRune implements fyne.Focusable.
func (l *ruleList) TypedRune(rune) {}

// click selects a row. A second click (double click) edits its rule.
func (l *ruleList) click(i int) {
	table.FocusOn(l)
	l.page.choose(i)
	if i == l.clicked && time.Since(l.at) <= fyne.CurrentApp().Driver().DoubleTapDelay() {
		l.at = time.Time{}
		l.page.edit(i)
		return
	}
	l.clicked, l.at = i, time.Now()
}

// AccessibilityLabel returns the name of the list.
func (*ruleList) AccessibilityLabel() string { return lang.L("Watches") }

// AccessibilityRole implements fyne.Accessible.
func (*ruleList) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
