package notify

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui"
	"porthole/ui/tray"
)

// Note is one notification: a sentence, and the port that a click opens.
type Note struct {
	Title string
	Body  string
	Port  uint16 // 0 where it is about none
}

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
	l := a.Change.Listener
	n := Note{Port: l.Port, Body: details(l)}
	if a.Rule.Name != "" {
		n.Body = join(monitor.Clean(a.Rule.Name, 64), n.Body)
	}
	data := map[string]any{"Port": l.Port, "Who": tray.Who(l)}
	switch a.Change.Kind {
	case monitor.Opened:
		if l.Reach == monitor.TheNetwork {
			n.Body = join(lang.L("reachable from the network"), n.Body)
		}
		n.Title = lang.L("{{.Port}} is open: {{.Who}}", data)
	case monitor.Closed:
		n.Title = lang.L("{{.Port}} closed: {{.Who}}", data)
		if !l.Since.IsZero() && a.Change.At.Sub(l.Since) >= time.Second {
			data["Time"] = ui.Duration(a.Change.At.Sub(l.Since))
			n.Title = lang.L("{{.Port}} closed: {{.Who}} had it for {{.Time}}", data)
		}
	case monitor.OwnerChanged:
		data["Before"] = tray.Who(a.Change.Before)
		n.Title = lang.L("{{.Port}} changed hands: {{.Before}} → {{.Who}}", data)
	case monitor.ReachChanged:
		n.Title = lang.L("{{.Port}} can now be reached from the network", data)
		if l.Reach == monitor.ThisMachine {
			n.Title = lang.L("{{.Port}} can be reached from this machine only again", data)
		}
		n.Body = join(tray.Who(l), n.Body)
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
	kind, ports := alerts[0].Change.Kind, []string(nil)
	for _, a := range alerts {
		if a.Change.Kind != kind {
			kind = ""
		}
		if len(ports) < 8 {
			ports = append(ports, strconv.Itoa(int(a.Change.Listener.Port)))
		} else if len(ports) == 8 {
			ports = append(ports, "…")
		}
	}
	data := map[string]any{"Count": len(alerts), "Ports": strings.Join(ports, ", ")}
	title := lang.N("{{.Count}} changes of watched ports: {{.Ports}}", len(alerts), data)
	switch kind {
	case monitor.Opened:
		title = lang.N("{{.Count}} ports opened: {{.Ports}}", len(alerts), data)
	case monitor.Closed:
		title = lang.N("{{.Count}} ports closed: {{.Ports}}", len(alerts), data)
	}
	return Note{Title: title, Port: alerts[0].Change.Listener.Port}
}
