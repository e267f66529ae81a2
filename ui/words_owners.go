package ui

import (
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/tray"
)

// portTenure is who had a port, and when.
type portTenure struct {
	history.Tenure
	port uint16
}

// pastTenures returns who had the ports of events before, the newest first. events
// are the newest first; who has a port still is not among them.
func pastTenures(events []history.Event) []portTenure {
	type listener struct{ id, boot string }
	hands := map[listener]time.Time{} // when it changed hands last
	var out []portTenure
	for _, e := range slices.Backward(events) {
		key := listener{e.Listener, e.Boot}
		spell := e.Tenure()
		since, changed := hands[key]
		switch e.Kind {
		case monitor.OwnerChanged:
			hands[key] = e.At
			if e.OwnerBefore == nil {
				continue
			}
			spell.Owner, spell.From, spell.AlreadyOpen, spell.To = *e.OwnerBefore, e.OpenedAt, e.AlreadyOpen, e.At
		case monitor.Closed:
			delete(hands, key)
		default:
			continue
		}
		if changed {
			spell.From, spell.AlreadyOpen = since, false
		}
		out = append(out, portTenure{spell, e.Port})
	}
	slices.Reverse(out)
	return out
}

// lastOwnerSentence says who had a port last: "Last: postgres, today 14:02–14:07".
func lastOwnerSentence(s history.Tenure, now time.Time) string {
	data := map[string]any{"Who": ownerText(s.Owner), "When": TenureText(s, now)}
	if s.To.IsZero() {
		return lang.L("Last: {{.Who}}, {{.When}}; its end was not seen", data)
	}
	return lang.L("Last: {{.Who}}, {{.When}}", data)
}

// ownerName is how a process is called; o is l's, with PID 0 where none can be
// seen.
func ownerName(l *monitor.Listener, o monitor.Owner) string {
	if o.PID == 0 {
		return tray.UnknownOwner(l)
	}
	if name := monitor.Clean(o.Name, 60); name != "" {
		return name
	}
	return lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
}

// ownerText names an owner as the tray and the notifications do.
func ownerText(o history.Owner) string {
	l := &monitor.Listener{User: o.User, Project: o.Project, CgroupInfo: monitor.CgroupInfo{Unit: o.Unit, ContainerID: o.Container}}
	process := monitor.Owner{PID: o.PID, Name: o.Name}
	switch {
	case o.Inferred:
		l.Inferred = &process
	case o.PID != 0 || o.Name != "":
		l.Owners = []monitor.Owner{process}
	}
	return tray.OwnerText(l)
}

func pidText(pid int) string { return lang.L("PID {{.PID}}", map[string]any{"PID": pid}) }
