package table

import "fyne.io/fyne/v2"

// This file is the table's text for screen readers, as far as Fyne supports them.
var (
	_ fyne.Accessible = (*rowList[Row])(nil)
	_ fyne.Accessible = (*rowWidget[Row])(nil)
	_ fyne.Accessible = (*header[Row])(nil)
)

// AccessibilityLabel returns the list's name and its selected row.
func (l *rowList[R]) AccessibilityLabel() string {
	if i, ok := l.table.lineOf(l.table.selected); ok && l.table.headAt(i) != nil {
		return l.table.Label + ": " + l.table.headText(l.table.headAt(i))
	}
	if r, ok := l.table.Selected(); ok {
		return l.table.Label + ": " + r.AccessibleText()
	}
	return l.table.Label
}

// AccessibilityRole implements fyne.Accessible.
func (l *rowList[R]) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel returns the row's text.
func (w *rowWidget[R]) AccessibilityLabel() string {
	if w.key == "" {
		return ""
	}
	if w.head != nil {
		return w.table.headText(w.head)
	}
	return w.row.AccessibleText()
}

// AccessibilityRole implements fyne.Accessible.
func (w *rowWidget[R]) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel names the column that has the keyboard focus.
func (h *header[R]) AccessibilityLabel() string {
	c := h.table.columns[h.current]
	if c.Label == "" {
		return h.table.Label + ": " + c.Name
	}
	return h.table.Label + ": " + c.Label
}

// AccessibilityRole implements fyne.Accessible.
func (h *header[R]) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
