package watches

import (
	"net/url"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// ruleView is a rule as text, as its row shows it, without control characters.
type ruleView struct {
	title, ports, pattern, events string // "" if empty
	state                         ruleState
	off, dim                      bool
}

// viewOf returns the view of a rule without its state.
func viewOf(rule watch.Rule) ruleView {
	v := ruleView{title: monitor.Clean(rule.Name, 200), ports: monitor.Clean(rule.PortsText(), 200), off: rule.Off, events: extrasText(rule)}
	data := map[string]any{"Pattern": monitor.Clean(rule.Match.String(), 200)}
	switch {
	case rule.Match.IsZero():
	case rule.FollowsService():
		v.pattern = lang.L("“{{.Pattern}}” on any port", data)
	default:
		v.pattern = lang.L("only “{{.Pattern}}”", data)
	}
	return v
}

// name returns how to refer to the rule in a sentence.
func (v ruleView) name() string {
	switch {
	case v.title != "":
		return monitor.Clean(v.title, 60)
	case v.ports != "":
		return monitor.Clean(v.ports, 60)
	}
	return monitor.Clean(v.pattern, 60)
}

// extrasText describes which events the rule notifies about, and how, as far as that is not the
// default.
func extrasText(rule watch.Rule) string {
	var parts []string
	if events := eventsText(rule.NotifyOn); events != "" {
		parts = append(parts, events)
	}
	switch rule.Urgency {
	case watch.Low:
		parts = append(parts, lang.L("low urgency"))
	case watch.Critical:
		parts = append(parts, lang.L("critical urgency"))
	}
	switch rule.Sound {
	case "":
	case watch.NoSound:
		parts = append(parts, lang.L("silent"))
	default:
		parts = append(parts, lang.L("sound: {{.Name}}", map[string]any{"Name": soundLabel(rule.Sound)}))
	}
	if rule.Health != "" {
		parts = append(parts, lang.L("checks {{.Path}}", map[string]any{"Path": monitor.Clean(rule.Health, 60)}))
	}
	if len(rule.Run) > 0 {
		parts = append(parts, lang.L("runs a command"))
	}
	if u, err := url.Parse(rule.Post); rule.Post != "" && err == nil {
		parts = append(parts, lang.L("posts to {{.Host}}", map[string]any{"Host": monitor.Clean(u.Hostname(), 60)}))
	}
	return strings.Join(parts, " · ")
}

// eventsText lists the events that a rule notifies about, or those besides the usual ones; ""
// if they are those of the settings.
func eventsText(notifyOn watch.NotifyOn) string {
	if notifyOn == 0 {
		return ""
	}
	also := notifyOn&watch.DefaultEvents == watch.DefaultEvents && notifyOn != watch.DefaultEvents
	if also {
		notifyOn &^= watch.DefaultEvents
	}
	var labels []string
	for i, kind := range allEvents {
		if notifyOn&kind != 0 {
			labels = append(labels, eventLabels()[i])
		}
	}
	if also {
		return lang.L("notifies also when it {{.What}}", map[string]any{"What": strings.Join(labels, ", ")})
	}
	return lang.L("notifies only when it {{.What}}", map[string]any{"What": strings.Join(labels, ", ")})
}

// allEvents are all events that a rule can notify about, in display order.
var allEvents = [...]watch.NotifyOn{watch.OnOpen, watch.OnClose, watch.OnCrash, watch.OnOwnerChange, watch.OnExposed, watch.OnUnhealthy, watch.OnAttempt, watch.OnConnect}

func eventLabels() [len(allEvents)]string {
	return [...]string{lang.L("opens"), lang.L("closes"), lang.L("crashes"), lang.L("changes owner"), lang.L("is exposed to the network"), lang.L("is unhealthy"),
		lang.L("is closed and a program tries to connect"), lang.L("has a new client")}
}
