package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
)

// This file formats values for several commands. All functions clean text that
// comes from other processes.

// portText returns "5432", or "5353/udp" for UDP.
func portText(l *monitor.Listener) string {
	port := strconv.Itoa(int(l.Port))
	if l.Protocol == monitor.UDP {
		port += "/udp"
	}
	return port
}

// ownerText returns the name of the principal owner and its PID with the number
// of the other owners: "node", "7 +1".
func ownerText(l *monitor.Listener) (process, pid string) {
	o, ok := l.Principal()
	if !ok {
		return unknownOwnerText(l), "-"
	}
	pid = strconv.Itoa(o.PID)
	if more := len(l.Owners) - 1; more > 0 {
		pid += fmt.Sprintf(" +%d", more)
	}
	return dash(monitor.Clean(o.Name, 32)), pid
}

// unknownOwnerText returns what is known about the unknown owner of l:
// "unknown (cups.service)". The container comes first, because narrow columns cut the
// end off: "web (container)".
func unknownOwnerText(l *monitor.Listener) string {
	if l.OwnerUnknown == monitor.UnknownKernel {
		return "Linux kernel"
	}
	switch {
	case l.Inferred != nil && l.Inferred.Name != "":
	case l.Container != nil && l.Container.Name != "":
		return monitor.Clean(l.Container.Name, 40) + " (container)"
	case l.Container != nil || l.ContainerID != "":
		return ownerHint(l)
	}
	if hint := ownerHint(l); hint != "" {
		return "unknown (" + hint + ")"
	}
	return "unknown"
}

// ownerHint returns the most specific thing that is known about the unknown owner
// of l, "" if nothing is.
func ownerHint(l *monitor.Listener) string {
	switch {
	case l.Inferred != nil && l.Inferred.Name != "":
		return fmt.Sprintf("probably %s, PID %d", monitor.Clean(l.Inferred.Name, 32), l.Inferred.PID)
	case l.Container != nil:
		return l.Container.Description()
	case l.ContainerID != "":
		return fmt.Sprintf("container %.12s", monitor.Clean(l.ContainerID, 64))
	case strings.HasSuffix(l.Unit, ".service"), strings.HasSuffix(l.Unit, ".socket"):
		return monitor.Clean(l.Unit, 40)
	case l.User != "":
		return "user " + monitor.Clean(l.User, 32)
	}
	return ""
}

// processText returns a process with its PID: "node (47733)".
func processText(o monitor.Owner) string {
	return fmt.Sprintf("%s (%d)", dash(monitor.Clean(o.Name, 60)), o.PID)
}

// addressText returns the addresses of l, separated by commas.
func addressText(l *monitor.Listener) string {
	texts := make([]string, len(l.Addresses))
	for i, a := range l.Addresses {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}

// dash returns s, or "-" if it is empty.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// timeText returns t in the time zone of now: "today 14:02", "yesterday 14:02"
// or "2026-11-20 14:02".
func timeText(t, now time.Time) string {
	t = t.In(now.Location())
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return t.Format("today 15:04")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return t.Format("yesterday 15:04")
	}
	return t.Format("2006-01-02 15:04")
}
