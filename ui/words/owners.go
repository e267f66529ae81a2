package words

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/history"
)

// PastTenures returns the past owners of the ports of events, the newest first. events
// must be sorted newest first. Present owners are not included.
func PastTenures(events []history.Event) []history.Tenure {
	type listener struct{ id, boot string }
	ownerSince := map[listener]time.Time{} // when its owner last changed
	var out []history.Tenure
	for _, e := range slices.Backward(events) {
		key := listener{e.Listener, e.Boot}
		spell := e.Tenure()
		since, changed := ownerSince[key]
		switch e.Kind {
		case monitor.OwnerChanged:
			ownerSince[key] = e.At
			if e.OwnerBefore == nil {
				continue
			}
			spell.Owner, spell.From, spell.AlreadyOpen, spell.To = *e.OwnerBefore, e.OpenedAt, e.AlreadyOpen, e.At
		case monitor.Closed:
			delete(ownerSince, key)
		default:
			continue
		}
		if changed {
			spell.From, spell.AlreadyOpen = since, false
		}
		out = append(out, spell)
	}
	slices.Reverse(out)
	return out
}

// LastOwner returns the line about a port's last owner: "Last: postgres, today
// 14:02–14:07".
func LastOwner(s history.Tenure, now time.Time) string {
	return lastOwner(PastOwner(s.Owner), s, now)
}

// LastOwnerOfPorts returns the line about the last owner of several ports: "Last: 40005
// postgres, today 14:02–14:07".
func LastOwnerOfPorts(s history.Tenure, now time.Time) string {
	return lastOwner(Port(s.Protocol, s.Port)+" "+PastOwner(s.Owner), s, now)
}

func lastOwner(who string, s history.Tenure, now time.Time) string {
	data := map[string]any{"Who": who, "When": Tenure(s, now), "How": Exit(s.Exit)}
	if s.To.IsZero() {
		return lang.L("Last: {{.Who}}, {{.When}} (end unknown)", data)
	}
	if s.Exit.Known() {
		return lang.L("Last: {{.Who}}, {{.When}}; it {{.How}}", data)
	}
	return lang.L("Last: {{.Who}}, {{.When}}", data)
}

// OwnerName returns the name of o, which owns l; o.PID is 0 if the owner is unknown.
func OwnerName(l *monitor.Listener, o monitor.Owner) string {
	if o.PID == 0 {
		return UnknownOwner(l)
	}
	if name := monitor.Clean(o.Name, 60); name != "" {
		return name
	}
	return lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
}

// PastOwner names a stored owner as Owner names a present one.
func PastOwner(o history.Owner) string {
	l := &monitor.Listener{User: o.User, Project: o.Project, CgroupInfo: monitor.CgroupInfo{Unit: o.Unit, ContainerID: o.Container}}
	process := monitor.Owner{PID: o.PID, Name: o.Name}
	switch {
	case o.Inferred:
		l.Inferred = &process
	case o.PID != 0 || o.Name != "":
		l.Owners = []monitor.Owner{process}
	}
	return Owner(l)
}

// PID returns "PID 4711".
func PID(pid int) string { return lang.L("PID {{.PID}}", map[string]any{"PID": pid}) }

// Owner names the owner of a listener, cleaned and short: "node · acme-web", "unknown
// (user root)"; with a label of the user "shop front end (node)".
func Owner(l *monitor.Listener) string {
	if l.Label == "" {
		return ownerText(l)
	}
	plain := *l
	plain.Project = ""
	if o, ok := l.Principal(); ok {
		plain.Owners = []monitor.Owner{{PID: o.PID, Name: o.Name}}
	}
	return lang.L("{{.Label}} ({{.Who}})", map[string]any{"Label": l.Label, "Who": ownerText(&plain)})
}

// ownerText names the owner of a listener without its label.
func ownerText(l *monitor.Listener) string {
	o, ok := l.Principal()
	if !ok {
		return UnknownOwner(l)
	}
	name := monitor.Clean(o.Name, maxName)
	if name == "" {
		name = lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
	}
	if project := monitor.Clean(cmp.Or(l.Project, o.Project), maxName); project != "" && project != name {
		return name + " · " + project
	}
	return name
}

// UnknownOwner describes an unknown owner by what is known of it.
func UnknownOwner(l *monitor.Listener) string {
	switch {
	case l.OwnerUnknown == monitor.UnknownKernel:
		return lang.L("Linux kernel")
	case l.Inferred != nil && l.Inferred.Name != "":
		return lang.L("probably {{.Name}}", map[string]any{"Name": monitor.Clean(l.Inferred.Name, maxName)})
	case l.Container != nil && l.Container.Name != "":
		return lang.L("{{.Name}} (container)", map[string]any{"Name": monitor.Clean(l.Container.Name, maxName)})
	case l.ContainerID != "":
		return lang.L("container {{.Name}}", map[string]any{"Name": shortID(l.ContainerID)})
	case strings.HasSuffix(l.Unit, ".service"), strings.HasSuffix(l.Unit, ".socket"):
		return lang.L("unknown ({{.Unit}})", map[string]any{"Unit": monitor.Clean(l.Unit, maxName)})
	case l.User == "":
		return lang.L("unknown process")
	}
	return lang.L("unknown (user {{.User}})", map[string]any{"User": monitor.Clean(l.User, maxName)})
}

// maxName is the number of characters of a process's or project's name that Owner shows.
const maxName = 32
