package notify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// forAlert returns the notification for a single alert.
func forAlert(a watch.Alert) Notification {
	l := a.Listener
	n := Notification{Port: l.Port, Key: words.Port(l.Protocol, l.Port), Rule: a.Rule, Listener: l, Actions: []Action{Show, StopWatching}, Body: detailText(l)}
	n.Urgency, n.SoundName = a.Rule.Urgency, a.Rule.Sound
	if a.Rule.FollowsService() && a.Kind != watch.NewlyExposed {
		n.Key = "rule " + a.Rule.Name + a.Rule.Match.String()
	}
	n.Body = join(RuleName(a.Rule), n.Body)
	data := map[string]any{"Port": words.Port(l.Protocol, l.Port), "Who": words.Owner(l)}
	if a.Before != nil {
		data["Before"], data["PortBefore"] = words.Owner(a.Before), words.Port(a.Before.Protocol, a.Before.Port)
	}
	switch a.Kind {
	case watch.Opened:
		if l.Exposure.IsExposed() {
			n.Body = join(words.Exposure(l), n.Body)
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
		} else if a.Exit.Known() {
			n.Body = join(words.Exit(a.Exit), n.Body)
		}
	case watch.Crashed:
		data["How"] = words.Exit(a.Exit)
		n.Title = lang.L("{{.Port}} crashed: {{.Who}} {{.How}}", data)
		if !l.Since.IsZero() && a.At.Sub(l.Since) >= time.Second {
			data["Time"] = words.Duration(a.At.Sub(l.Since))
			n.Title = lang.L("{{.Port}} crashed: {{.Who}} {{.How}} after {{.Time}}", data)
		}
	case watch.Restarted:
		n.Title = lang.L("{{.Port}} restarted: {{.Who}}", data)
		n.Body = join(crashText(a), n.Body)
	case watch.Moved:
		n.Title = lang.L("{{.Who}} moved from {{.PortBefore}} to {{.Port}}", data)
		n.Body = join(crashText(a), n.Body)
	case watch.OwnerChanged:
		n.Title = lang.L("{{.Port}} changed owner: {{.Before}} → {{.Who}}", data)
	case watch.NewlyExposed:
		n.Title = lang.L("{{.Port}} is exposed to the network: {{.Who}}", data)
		if l.Exposure == monitor.ExposurePublic {
			n.Title = lang.L("{{.Port}} is reachable from the internet: {{.Who}}", data)
		}
		n.Body = join(words.Tunnels(l), n.Body)
		n.Body = join(lang.L("not seen before"), n.Body)
		n.Actions, n.Listeners = []Action{Show, Accept}, []*monitor.Listener{l}
	case watch.Exposed:
		n.Title = lang.L("{{.Port}} is now exposed to the network", data)
		if l.Exposure == monitor.ExposurePublic {
			n.Title = lang.L("{{.Port}} is now reachable from the internet", data)
		}
		n.Body = join(words.Owner(l), join(words.Tunnels(l), n.Body))
	case watch.Connected:
		data["Client"] = words.Sentence(a.Client.Clean(60).Sentence())
		n.Title = lang.L("{{.Client}} connected to {{.Port}}, first time", data)
		n.Body = join(RuleName(a.Rule), words.Owner(l))
		n.Key += " client"
	case watch.Attempted:
		data["Count"] = a.Count
		n.Title = lang.N("{{.Port}} is closed, and something tried to connect at least {{.Count}} times in the last minute", a.Count, data)
		n.Body = RuleName(a.Rule)
		if a.LastOwner != "" {
			n.Body = join(n.Body, lang.L("last: {{.Who}}", map[string]any{"Who": a.LastOwner}))
		}
	case watch.Unhealthy:
		data["Why"] = words.Sentence(a.Health.Sentence())
		n.Title = lang.L("{{.Port}} is unhealthy: {{.Who}}, {{.Why}}", data)
	case watch.Healthy:
		data["Time"] = words.Duration(a.Lasted)
		n.Title = lang.L("{{.Port}} is healthy again after {{.Time}}: {{.Who}}", data)
	case watch.Flapping:
		data["Count"] = a.Count
		n.Title = lang.N("{{.Port}} is open after {{.Count}} changes: {{.Who}}", a.Count, data)
		if a.NowClosed {
			n.Title = lang.N("{{.Port}} is closed after {{.Count}} changes", a.Count, data)
			n.Body = join(RuleName(a.Rule), lang.L("last: {{.Who}}", data))
		}
	}
	return n
}

// crashText says how the owner crashed before a restart; "" if it did not.
func crashText(a watch.Alert) string {
	if !a.Exit.Crashed() || a.ByUser {
		return ""
	}
	return lang.L("the previous process {{.How}}", map[string]any{"How": words.Exit(a.Exit)})
}

// RuleName returns the name of a rule: the user's, or else the ports or the
// pattern. A rule about a single port needs none.
func RuleName(rule watch.Rule) string {
	_, single := rule.Ports.Single()
	switch {
	case rule.Name != "":
		return monitor.Clean(rule.Name, 64)
	case single || rule.Ports == nil && rule.Match.IsZero():
		return ""
	case rule.Ports != nil:
		return monitor.Clean(rule.PortsText(), 64)
	}
	return monitor.Clean(rule.Match.String(), 64)
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

// summarize returns one notification for alerts about several ports, such as
// "7 ports opened: 3000, 3001, …".
func summarize(alerts []watch.Alert) Notification {
	kind, ports, changes := alerts[0].Kind, []port(nil), 0
	for _, a := range alerts {
		if a.Kind != kind {
			kind = ""
		}
		ports = append(ports, portOf(a.Listener))
		changes += max(a.Count, 1)
	}
	slices.SortFunc(ports, func(a, b port) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.protocol, b.protocol))
	})
	ports = slices.Compact(ports)
	var names []string
	for _, port := range ports[:min(len(ports), maxNamedPorts)] {
		names = append(names, words.Port(port.protocol, port.number))
	}
	if len(ports) > maxNamedPorts {
		names = append(names, "…")
	}
	data := map[string]any{"Count": len(ports), "Ports": strings.Join(names, ", ")}
	n := Notification{Port: alerts[0].Listener.Port, Actions: []Action{Show}, Body: summaryBody(alerts)}
	for _, a := range alerts {
		if a.Kind == watch.NewlyExposed {
			n.Listeners = append(n.Listeners, a.Listener)
		}
	}
	if len(n.Listeners) > 0 {
		n.Actions = append(n.Actions, Accept)
	}
	levels := []watch.Urgency{watch.Low, "", watch.Normal, watch.Critical}
	n.Urgency = watch.Low
	for _, a := range alerts {
		if slices.Index(levels, a.Rule.Urgency) > slices.Index(levels, n.Urgency) {
			n.Urgency = a.Rule.Urgency
		}
		if a.Rule.Sound != "" && (n.SoundName == "" || n.SoundName == watch.NoSound) {
			n.SoundName = a.Rule.Sound
		}
	}
	switch kind {
	case watch.NewlyExposed:
		n.Title = lang.N("{{.Count}} ports newly exposed to the network: {{.Ports}}", len(ports), data)
	case watch.Opened:
		n.Title = lang.N("{{.Count}} ports opened: {{.Ports}}", len(ports), data)
	case watch.Closed:
		n.Title = lang.N("{{.Count}} ports closed: {{.Ports}}", len(ports), data)
	case watch.Crashed:
		n.Title = lang.N("{{.Count}} ports closed by crashes: {{.Ports}}", len(ports), data)
	case watch.Unhealthy:
		n.Title = lang.N("{{.Count}} ports unhealthy: {{.Ports}}", len(ports), data)
	case watch.Restarted:
		n.Title = lang.N("{{.Count}} ports restarted: {{.Ports}}", len(ports), data)
	default:
		data["Count"] = changes
		if len(n.Listeners) > 0 { // of ports that need not be watched
			n.Title = lang.N("{{.Count}} events: {{.Ports}}", changes, data)
			break
		}
		n.Title = lang.N("{{.Count}} events on watched ports: {{.Ports}}", changes, data)
	}
	return n
}

// maxListed is the number of alerts from which on a summary does not list each.
const maxListed = 4

// maxNamedOwners is the number of rules and of owners that a summary names.
const maxNamedOwners = 4

// summaryBody returns the names of the rules of alerts, and one line for each
// alert or, if there are many, the owners. If the rules differ, each line names its own.
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
		rules = add(rules, RuleName(a.Rule))
		owners = add(owners, words.Owner(a.Listener))
	}
	if len(alerts) >= maxListed {
		return join(strings.Join(rules, ", "), strings.Join(owners, ", "))
	}
	var lines []string
	mixed := slices.ContainsFunc(alerts, func(a watch.Alert) bool { return RuleName(a.Rule) != RuleName(alerts[0].Rule) })
	if len(rules) > 0 && !mixed {
		lines = append(lines, rules[0])
	}
	for _, a := range alerts {
		line := forAlert(a).Title
		if mixed {
			line = join(RuleName(a.Rule), line)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// MissedSummary returns one notification for the alerts of a pause; there must be at least one.
func MissedSummary(alerts []watch.Alert) Notification {
	n := missed(alerts)
	n.Title = lang.L("While notifications were paused: {{.What}}", map[string]any{"What": n.Title})
	return n
}

// QuietSummary is MissedSummary for alerts of the quiet hours.
func QuietSummary(alerts []watch.Alert) Notification {
	n := missed(alerts)
	n.Title = lang.L("During the quiet hours: {{.What}}", map[string]any{"What": n.Title})
	return n
}

func missed(alerts []watch.Alert) Notification {
	var b burst
	for _, a := range alerts {
		b.add(a)
	}
	return b.notification()
}

// Unwatched returns the notification that the watch rule does not notify about l
// any more. off: the watch was switched off; otherwise it excludes the port.
func Unwatched(l *monitor.Listener, rule watch.Rule, off bool) Notification {
	port := words.Port(l.Protocol, l.Port)
	data := map[string]any{"Port": port, "Watch": cmp.Or(RuleName(rule), port)}
	n := Notification{Title: lang.L("Stopped watching {{.Port}}", data), Key: "unwatched", Actions: []Action{Undo}}
	n.Body = lang.L("{{.Port}} is excluded from the watch “{{.Watch}}”", data)
	if off {
		n.Body = lang.L("The watch “{{.Watch}}” is turned off", data)
	}
	return n
}

// Sample returns a notification that shows the user that notifications work.
func Sample() Notification {
	return Notification{Title: lang.L("Test notification from Porthole"), Key: "test"}
}
