package cli

import (
	"fmt"
	"slices"
	"strings"

	"porthole/monitor"
)

// noteMissing prints on stderr which names and projects are missing from the listeners
// because something did not answer in time, and what that is.
func (q query) noteMissing(listeners []*monitor.Listener) {
	for _, note := range missing(listeners) {
		_, _ = fmt.Fprintln(q.Stderr, "porthole: "+note) // the output has what is known
	}
}

// missing returns one sentence for each kind of fact that is missing:
// "project unknown for node (47733): the disk with its folder does not answer".
func missing(listeners []*monitor.Listener) (notes []string) {
	affected := make(map[string][]string) // by what is unknown and why
	add := func(what, reason, who string) {
		key := what + "\n" + reason
		if reason != "" && !slices.Contains(affected[key], who) {
			affected[key] = append(affected[key], who)
		}
	}
	for _, l := range listeners {
		port := "port " + portText(l)
		add("user name", l.UserUnknown, port)
		if l.Container != nil {
			add("container name", l.Container.NameUnknown, port)
		}
		for _, o := range l.Owners {
			add("project", o.ProjectUnknown, processText(o))
		}
	}
	for key, who := range affected {
		what, reason, _ := strings.Cut(key, "\n")
		const shown = 3
		names := strings.Join(who[:min(len(who), shown)], ", ")
		if more := len(who) - shown; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		notes = append(notes, fmt.Sprintf("%s unknown for %s: %s", what, names, reason))
	}
	slices.Sort(notes)
	return notes
}

// withInside marks a path of o that is in another mount namespace.
func withInside(path string, o monitor.Owner) string {
	if path == "" || !o.Inside {
		return path
	}
	return path + " (inside its container or mount namespace; not this path here)"
}

// unknownText returns "unknown: " with the reason, "" if there is none.
func unknownText(reason string) string {
	if reason == "" {
		return ""
	}
	return "unknown: " + reason
}
