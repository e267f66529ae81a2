package ports

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/ui/words"
)

// shows reports whether the page shows r with a quick filter. An overview leaves out what
// the user has hidden, unless the user asks for its port.
func (p *Page) shows(q quickFilter, r *portRow) bool {
	if r.listener.Hidden && q.isOverview() && p.filter.Port() == 0 && p.filter.Target().Port == 0 {
		return false
	}
	return q.matches(r, p.status.User)
}

// hideItem returns the item of the row menu that hides l or shows it again.
func (p *Page) hideItem(l *monitor.Listener) *fyne.MenuItem {
	if l.Hidden {
		return fyne.NewMenuItem(lang.L("Show again"), func() { p.showAgain(l) })
	}
	item := fyne.NewMenuItem(lang.L("Hide"), nil)
	item.ChildMenu = fyne.NewMenu("")
	for _, rule := range label.Hide(l) {
		item.ChildMenu.Items = append(item.ChildMenu.Items, fyne.NewMenuItem(hiddenText(rule, l), func() { p.hide(rule, l) }))
	}
	return item
}

// hiddenText names what a rule of label.Hide hides: "631 of cupsd", "Everything of cupsd".
func hiddenText(rule label.Hidden, l *monitor.Listener) string {
	data := map[string]any{"Port": words.Port(l.Protocol, l.Port), "Name": monitor.Clean(rule.Program, 40)}
	if rule.Program == "" {
		data["Name"] = monitor.Clean(rule.Unit, 60)
	}
	switch {
	case len(rule.On.Ports) > 0 && data["Name"] == "":
		return lang.L("Port {{.Port}}", data)
	case len(rule.On.Ports) > 0:
		return lang.L("Port {{.Port}} of {{.Name}}", data)
	}
	return lang.L("Everything of {{.Name}}", data)
}

// hide adds a rule that hides l. Undo removes it.
func (p *Page) hide(rule label.Hidden, l *monitor.Listener) {
	if !p.agentRunning() {
		return
	}
	change := label.Rules{Hidden: []label.Hidden{rule}}
	p.actions.ChangeLabels(change, label.Rules{})
	p.offerUndo(lang.L("Hidden: {{.What}}", map[string]any{"What": hiddenText(rule, l)}), func() { p.actions.ChangeLabels(label.Rules{}, change) })
}

// showAgain removes the rules that hide l. Undo restores them.
func (p *Page) showAgain(l *monitor.Listener) {
	if !p.agentRunning() {
		return
	}
	change := label.Rules{Hidden: p.status.Labels.Hiding(l)}
	p.actions.ChangeLabels(label.Rules{}, change)
	p.offerUndo(lang.L("{{.Port}} is shown again", map[string]any{"Port": words.Port(l.Protocol, l.Port)}), func() { p.actions.ChangeLabels(change, label.Rules{}) })
}
