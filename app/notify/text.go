package notify

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// groupThreshold is the number of alerts from which they are combined into one notification.
const groupThreshold = 4

// ForAlerts returns the notifications for alerts, in order. From groupThreshold
// alerts on it is a single one.
func ForAlerts(alerts []watch.Alert) []Notification {
	if len(alerts) >= groupThreshold {
		return []Notification{summarize(alerts)}
	}
	notifications := make([]Notification, len(alerts))
	for i, a := range alerts {
		notifications[i] = forAlert(a)
	}
	return notifications
}

func forAlert(a watch.Alert) Notification {
	l := a.Listener
	n := Notification{Port: l.Port, Key: strconv.Itoa(int(l.Port)), Rule: a.Rule, Body: detailText(l), WithdrawOnClose: a.Kind != watch.Closed}
	if a.Rule.FollowsService() {
		n.Key = "rule " + a.Rule.Name + a.Rule.Match.String()
	}
	if a.Rule.Name != "" {
		n.Body = join(monitor.Clean(a.Rule.Name, 64), n.Body)
	}
	data := map[string]any{"Port": l.Port, "Who": words.Owner(l)}
	if a.Before != nil {
		data["Before"], data["PortBefore"] = words.Owner(a.Before), a.Before.Port
	}
	switch a.Kind {
	case watch.Opened:
		if l.Exposure == monitor.ExposureNetwork {
			n.Body = join(lang.L("exposed to the network"), n.Body)
		}
		n.Title = lang.L("{{.Port}} is open: {{.Who}}", data)
	case watch.Closed:
		n.Title = lang.L("{{.Port}} closed: {{.Who}}", data)
		if !l.Since.IsZero() && a.At.Sub(l.Since) >= time.Second {
			data["Time"] = words.Duration(a.At.Sub(l.Since))
			n.Title = lang.L("{{.Port}} closed: {{.Who}} (after {{.Time}})", data)
		}
		if a.ByUser {
			n.Body = join(lang.L("stopped by you"), n.Body)
		}
	case watch.Restarted:
		n.Title = lang.L("{{.Port}} restarted: {{.Who}}", data)
	case watch.Moved:
		n.Title = lang.L("{{.Who}} moved from {{.PortBefore}} to {{.Port}}", data)
	case watch.OwnerChanged:
		n.Title = lang.L("{{.Port}} changed owner: {{.Before}} → {{.Who}}", data)
	case watch.Exposed:
		n.Title = lang.L("{{.Port}} is now exposed to the network", data)
		n.Body = join(words.Owner(l), n.Body)
	case watch.Flapping:
		data["Count"] = a.Count
		n.Title = lang.N("{{.Port}} changed {{.Count}} more times: {{.Who}}", a.Count, data)
		if a.NowClosed {
			n.Title = lang.N("{{.Port}} changed {{.Count}} more times and is closed now", a.Count, data)
			n.Body, n.WithdrawOnClose = join(monitor.Clean(a.Rule.Name, 64), lang.L("last: {{.Who}}", data)), false
		}
	}
	return n
}

// detailText returns the addresses of l, and the PID and redacted command line of
// its principal owner.
func detailText(l *monitor.Listener) string {
	var parts []string
	for _, a := range l.Addresses {
		parts = append(parts, a.String())
	}
	text := strings.Join(parts, ", ")
	if o, ok := l.Principal(); ok {
		text = join(text, lang.L("process {{.PID}}", map[string]any{"PID": o.PID}))
		command := monitor.Clean(strings.Join(monitor.RedactCommand(o.Command), " "), 120)
		text = join(text, command)
	}
	return text
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " · " + b
}

// maxNamedPorts is the number of ports that a summary names.
const maxNamedPorts = 8

// summarize returns one notification for several alerts, such as "7 ports opened: 3000, 3001, …".
func summarize(alerts []watch.Alert) Notification {
	kind, ports := alerts[0].Kind, []uint16(nil)
	for _, a := range alerts {
		if a.Kind != kind {
			kind = ""
		}
		ports = append(ports, a.Listener.Port)
	}
	slices.Sort(ports)
	ports = slices.Compact(ports) // a port can have several alerts
	var names []string
	for _, port := range ports[:min(len(ports), maxNamedPorts)] {
		names = append(names, strconv.Itoa(int(port)))
	}
	if len(ports) > maxNamedPorts {
		names = append(names, "…")
	}
	data := map[string]any{"Count": len(alerts), "Ports": strings.Join(names, ", ")}
	title := lang.N("{{.Count}} events on watched ports: {{.Ports}}", len(alerts), data)
	if len(ports) == len(alerts) {
		switch kind {
		case watch.Opened:
			title = lang.N("{{.Count}} ports opened: {{.Ports}}", len(alerts), data)
		case watch.Closed:
			title = lang.N("{{.Count}} ports closed: {{.Ports}}", len(alerts), data)
		case watch.Restarted:
			title = lang.N("{{.Count}} ports restarted: {{.Ports}}", len(alerts), data)
		}
	}
	return Notification{Title: title, Body: summaryBody(alerts), Port: alerts[0].Listener.Port}
}

// maxNamedOwners is the number of rules and of owners that a summary names.
const maxNamedOwners = 4

// summaryBody returns the names of the rules and owners of alerts.
func summaryBody(alerts []watch.Alert) string {
	var rules, owners []string
	add := func(names []string, name string) []string {
		switch {
		case name == "" || slices.Contains(names, name) || len(names) > maxNamedOwners:
			return names
		case len(names) == maxNamedOwners:
			name = "…"
		}
		return append(names, name)
	}
	for _, a := range alerts {
		rules = add(rules, monitor.Clean(a.Rule.Name, 64))
		owners = add(owners, words.Owner(a.Listener))
	}
	return join(strings.Join(rules, ", "), strings.Join(owners, ", "))
}

// MissedSummary returns one notification for the alerts of a pause; there must be at least one.
func MissedSummary(alerts []watch.Alert) Notification {
	n := summarize(alerts)
	if len(alerts) == 1 {
		n = forAlert(alerts[0])
	}
	n.Title = lang.L("While notifications were paused: {{.What}}", map[string]any{"What": n.Title})
	return n
}

// Sample returns a notification that shows the user that notifications work.
func Sample() Notification {
	return Notification{Title: lang.L("Test notification from Porthole"), Key: "test"}
}
