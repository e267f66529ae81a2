package stop

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/words"
)

// This file names processes and ports.

func stopTitle(targets []monitor.Owner) string {
	if len(targets) == 1 {
		return lang.L("Stop {{.Name}}?", map[string]any{"Name": targetName(targets[0])})
	}
	return lang.N("Stop {{.Count}} processes?", len(targets), map[string]any{"Count": words.Number(len(targets))})
}

func targetName(o monitor.Owner) string {
	if name := monitor.Clean(o.Name, 60); name != "" {
		return name
	}
	return lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
}

// closingLines returns the addresses that close with the processes to stop.
func closingLines(n Update) (lines []string) {
	for _, l := range n.Listeners {
		for _, s := range l.Sockets {
			if !slices.ContainsFunc(n.Targets, func(o monitor.Owner) bool { return slices.Contains(s.Owners, o.PID) }) {
				continue
			}
			line := words.AddressPort(s, l.Port)
			if l.Protocol == monitor.UDP {
				line += " UDP"
			}
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// distinctLines returns the texts of the first maxNamed targets, without duplicates.
func distinctLines(targets []monitor.Owner, text func(monitor.Owner) string) (lines []string) {
	for _, o := range targets {
		if line := text(o); line != "" && !slices.Contains(lines, line) && len(lines) < maxNamed {
			lines = append(lines, line)
		}
	}
	return lines
}

// childLines returns one line for each child process that listens.
func childLines(n Update) (lines []string) {
	for _, c := range n.ListeningChildren {
		lines = append(lines, fmt.Sprintf("%s (%d) · %s", targetName(c.Owner), c.Owner.PID, words.Port(c.Listener.Protocol, c.Listener.Port)))
	}
	return lines
}

func exitedText(owners []monitor.Owner) string {
	return lang.N("{{.Name}} exited.", len(owners), map[string]any{"Name": nameList(owners)})
}

// countOrName returns the text for processes in a title: the name of one, or their number.
func countOrName(owners []monitor.Owner) string {
	if len(owners) == 1 {
		return nameList(owners)
	}
	return lang.N("{{.Count}} processes", len(owners), map[string]any{"Count": words.Number(len(owners))})
}

// namesIfSeveral returns a sentence with the names of several processes, which the title
// only counts.
func namesIfSeveral(owners []monitor.Owner) []string {
	if len(owners) == 1 {
		return nil
	}
	return []string{nameList(owners)}
}

// nameList returns the names and PIDs of the first maxNamed processes, and how many follow.
func nameList(owners []monitor.Owner) string {
	var names []string
	for _, o := range owners[:min(len(owners), maxNamed)] {
		names = append(names, fmt.Sprintf("%s (%d)", targetName(o), o.PID))
	}
	text := strings.Join(names, ", ")
	if more := len(owners) - maxNamed; more > 0 {
		text = lang.N("{{.Names}} and {{.Count}} more", more, map[string]any{"Names": text, "Count": words.Number(more)})
	}
	return text
}
