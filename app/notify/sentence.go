package notify

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui"
	"porthole/ui/tray"
)

// many is from how many alerts on they are told as one.
const many = 4

// Notes puts alerts into words, in order. Many at once become one.
func Notes(alerts []watch.Alert) []Note {
	if len(alerts) >= many {
		return []Note{together(alerts)}
	}
	notes := make([]Note, len(alerts))
	for i, a := range alerts {
		notes[i] = note(a)
	}
	return notes
}

func note(a watch.Alert) Note {
	l := a.Listener
	n := Note{Port: l.Port, Key: strconv.Itoa(int(l.Port)), Rule: a.Rule, Body: details(l), Opens: a.Kind != watch.Closed}
	if a.Rule.Follows() {
		n.Key = "rule " + a.Rule.Name + a.Rule.Match.String()
	}
	if a.Rule.Name != "" {
		n.Body = join(monitor.Clean(a.Rule.Name, 64), n.Body)
	}
	data := map[string]any{"Port": l.Port, "Who": tray.Who(l)}
	if a.Before != nil {
		data["Before"], data["PortBefore"] = tray.Who(a.Before), a.Before.Port
	}
	switch a.Kind {
	case watch.Opened:
		if l.Reach == monitor.TheNetwork {
			n.Body = join(lang.L("reachable from the network"), n.Body)
		}
		n.Title = lang.L("{{.Port}} is open: {{.Who}}", data)
	case watch.Closed:
		n.Title = lang.L("{{.Port}} closed: {{.Who}}", data)
		if !l.Since.IsZero() && a.At.Sub(l.Since) >= time.Second {
			data["Time"] = ui.Duration(a.At.Sub(l.Since))
			n.Title = lang.L("{{.Port}} closed: {{.Who}} had it for {{.Time}}", data)
		}
		if a.ByUser {
			n.Body = join(lang.L("stopped by you"), n.Body)
		}
	case watch.Restarted:
		n.Title = lang.L("{{.Port}} restarted: {{.Who}}", data)
	case watch.Moved:
		n.Title = lang.L("{{.Who}} is now on {{.Port}}, no longer on {{.PortBefore}}", data)
	case watch.Changed:
		n.Title = lang.L("{{.Port}} changed hands: {{.Before}} → {{.Who}}", data)
	case watch.Exposed:
		n.Title = lang.L("{{.Port}} can now be reached from the network", data)
		n.Body = join(tray.Who(l), n.Body)
	case watch.Flapped:
		data["Count"] = a.Count
		n.Title = lang.N("{{.Port}} changed {{.Count}} more times: {{.Who}}", a.Count, data)
	}
	return n
}

// details are the addresses and the process, for who wants to know more.
func details(l *monitor.Listener) string {
	var parts []string
	for _, a := range l.Addresses {
		parts = append(parts, a.String())
	}
	text := strings.Join(parts, ", ")
	if o, ok := l.Principal(); ok {
		text = join(text, lang.L("process {{.PID}}", map[string]any{"PID": o.PID}))
		command := monitor.Clean(strings.Join(monitor.MaskCommand(o.Command), " "), 120)
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

// together is one sentence for many alerts: "7 ports opened: 3000, 3001, …".
func together(alerts []watch.Alert) Note {
	kind, ports := alerts[0].Kind, []uint16(nil)
	for _, a := range alerts {
		if a.Kind != kind {
			kind = ""
		}
		ports = append(ports, a.Listener.Port)
	}
	slices.Sort(ports)
	ports = slices.Compact(ports) // one can change often
	var names []string
	for _, port := range ports[:min(len(ports), namedPorts)] {
		names = append(names, strconv.Itoa(int(port)))
	}
	if len(ports) > namedPorts {
		names = append(names, "…")
	}
	data := map[string]any{"Count": len(alerts), "Ports": strings.Join(names, ", ")}
	title := lang.N("{{.Count}} changes of watched ports: {{.Ports}}", len(alerts), data)
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
	return Note{Title: title, Port: alerts[0].Listener.Port}
}

// namedPorts is how many ports a sentence about many names.
const namedPorts = 8

// Missed is the one sentence about what was not told during a pause.
func Missed(alerts []watch.Alert) Note {
	n := together(alerts)
	if len(alerts) == 1 {
		n = note(alerts[0])
	}
	n.Title = lang.L("While notifications were paused: {{.What}}", map[string]any{"What": n.Title})
	return n
}

// Test is the notification that shows that notifications work.
func Test() Note {
	return Note{Title: lang.L("This is what Porthole's notifications look like"), Key: "test"}
}
