package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
)

// What screen readers are told of what is no button, where Fyne reaches them.
var (
	_ fyne.Accessible = (*entry)(nil)
	_ fyne.Accessible = (*choice)(nil)
	_ fyne.Accessible = (*formCheck)(nil)
	_ fyne.Accessible = (*copyText)(nil)
	_ fyne.Accessible = (*hourChart)(nil)
	_ fyne.Accessible = (*eventList)(nil)
	_ fyne.Accessible = (*eventRow)(nil)
	_ fyne.Accessible = (*ruleList)(nil)
	_ fyne.Accessible = (*ruleRow)(nil)
)

// AccessibilityLabel says what the field is for, and what stands in it.
func (e *entry) AccessibilityLabel() string { return labelWithText(e.label, e.Text) }

// AccessibilityRole is Fyne's.
func (*entry) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel says what the list is for, and what is chosen.
func (c *choice) AccessibilityLabel() string { return labelWithText(c.label, c.Selected) }

// AccessibilityRole is Fyne's.
func (*choice) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// AccessibilityLabel says what the box is for, and whether it is checked.
func (c *formCheck) AccessibilityLabel() string {
	if c.Checked {
		return lang.L("{{.Setting}}: on", map[string]any{"Setting": c.Text})
	}
	return lang.L("{{.Setting}}: off", map[string]any{"Setting": c.Text})
}

// AccessibilityRole is Fyne's.
func (*formCheck) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// AccessibilityLabel is the text.
func (t *copyText) AccessibilityLabel() string { return t.Text }

// AccessibilityRole is Fyne's.
func (*copyText) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel is the chart's title, and what it says of the hour that the
// keyboard is at.
func (c *hourChart) AccessibilityLabel() string { return labelWithText(c.title.Text, c.detail.Text) }

// AccessibilityRole is Fyne's.
func (*hourChart) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel says what the list is, and which change is selected.
func (l *eventList) AccessibilityLabel() string {
	if e := l.page.chosen(); e != nil {
		return labelWithText(lang.L("Activity"), portText(e.Protocol, e.Port)+" "+eventSentence(e))
	}
	return lang.L("Activity")
}

// AccessibilityRole is Fyne's.
func (*eventList) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel is what the line says.
func (w *eventRow) AccessibilityLabel() string {
	return strings.TrimSpace(strings.Join([]string{w.time.Text, w.port.Text, w.words.Text}, " "))
}

// AccessibilityRole is Fyne's.
func (*eventRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// AccessibilityLabel says what the list is.
func (*ruleList) AccessibilityLabel() string { return lang.L("Watches") }

// AccessibilityRole is Fyne's.
func (*ruleList) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel is the rule and how it stands.
func (r *ruleRow) AccessibilityLabel() string {
	v := r.painted.view
	return labelWithText(strings.TrimSpace(v.title+" "+v.ports+" "+v.pattern), v.state.text+" "+v.state.more)
}

// AccessibilityRole is Fyne's.
func (*ruleRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// labelWithText is what something is and what it says, which may be nothing.
func labelWithText(what, words string) string {
	if words = strings.TrimSpace(words); words == "" {
		return what
	}
	return what + ": " + words
}
