//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// line is the result in one line.
func (res result) line() string {
	text := fmt.Sprintf("%-8s %-20s", res.verdict, res.run.name)
	if res.flags != "" {
		text += " [" + res.flags + "]"
	}
	return strings.TrimSpace(text + " " + strings.Join(res.faults, "; "))
}

// summary counts the results.
type summary struct {
	count                              map[string]int
	flags                              map[rune]int
	sockets, shown, shownUser          int
	packaged, packagedWarned, measured int
	system                             string
}

func summarize(results []result) summary {
	s := summary{count: make(map[string]int), flags: make(map[rune]int)}
	for _, res := range results {
		s.count[res.verdict]++
		if !slices.Contains([]string{right, partly, wrong}, res.verdict) {
			continue
		}
		s.measured++
		s.system = res.system
		s.sockets, s.shown, s.shownUser = s.sockets+res.sockets, s.shown+res.shown, s.shownUser+res.shownUser
		for _, letter := range res.flags {
			s.flags[letter]++
		}
		if res.run.packaged() {
			s.packaged++
			if len(res.warnings) > 0 {
				s.packagedWarned++
			}
		}
	}
	return s
}

// text is the summary in a few lines.
func (s summary) text() string {
	var flags []string
	for _, letter := range "WRNOMUDS" {
		flags = append(flags, fmt.Sprintf("%c %d", letter, s.flags[letter]))
	}
	return fmt.Sprintf("right %d, partly %d, wrong %d of %d servers that listen; %d started and do not listen, %d not started, %d not tried\n"+
		"sockets shown: %d of %d as root, %d as a user\nflags: %s\npackaged units with a warning: %d of %d",
		s.count[right], s.count[partly], s.count[wrong], s.measured, s.count[quiet], s.count[unknown], s.count[unsought],
		s.shown, s.sockets, s.shownUser, strings.Join(flags, ", "), s.packagedWarned, s.packaged)
}

// intro is the text above the table.
const intro = `# Real servers

This page is written by ` + "`make test-servers`" + `. It starts real servers of Debian 12, each alone in a freshly booted system with systemd in namespaces of its own, and compares what Porthole shows with the right values.

- Packaged units are started with ` + "`systemctl start`" + ` and their packaged configuration, with the small changes in the table. Programs of developers are typed into a shell in tmux.
- The truth is ` + "`ss -Hltunpe`" + `, before and after the list, and ` + "`/proc`" + `. Compared are ` + "`porthole list`" + ` and ` + "`who`" + `, as root and as an unprivileged user.
- **right**: the service has the name that people use, or none if the program is one of your own, and the process name is complete. **partly**: only the protocol, or no service, while the process tells it; or an incomplete process name. **wrong**: another program's name, or another process.
- The right values are written by hand in [servers.txt](../monitor/integration/testdata/servers.txt). Not included are servers that do not listen with their packaged configuration, such as HAProxy, Knot DNS and nbd-server, and ntpsec, which needs the machine's clock.
- Flags do not count in the result. W: what started the process is not named. R, N, O: an unexpected warning (root, exposed, other). M: an expected warning is missing. U: another user than that of the process. D: an unprivileged user sees another service than root. S: an unprivileged user sees several rows instead of one.

`

// page is docs/servers.md.
func page(results []result, s summary) string {
	var b strings.Builder
	b.WriteString(intro)
	for line := range strings.Lines(s.text()) {
		fmt.Fprintf(&b, "- %s\n", strings.TrimSpace(line))
	}
	fmt.Fprintf(&b, "- Measured %s on %s\n\n", time.Now().UTC().Format("2006-01-02"), s.system)
	b.WriteString("| run | package | listens | service | process | result | remarks |\n|---|---|---|---|---|---|---|\n")
	for _, res := range results {
		if slices.Contains([]string{right, partly, wrong}, res.verdict) {
			writeRow(&b, res)
		}
	}
	var silent, failed, rest []string
	for _, res := range results {
		switch res.verdict {
		case quiet:
			silent = append(silent, fmt.Sprintf("- %s (%s)", res.run.name, cell(res.version)))
		case unknown:
			failed = append(failed, fmt.Sprintf("- %s: %s", res.run.name, cell(short(strings.Join(res.faults, "; "), 200))))
		case unsought:
			rest = append(rest, res.run.name)
		}
	}
	for _, section := range []struct{ title, text string }{
		{"Started, and nothing listens", strings.Join(silent, "\n")},
		{"Could not be started", strings.Join(failed, "\n")},
		{"Not started this time", strings.Join(rest, ", ")},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", section.title, cmp.Or(section.text, "None."))
	}
	return b.String()
}

func writeRow(b *strings.Builder, res result) {
	remarks := res.faults
	if res.run.note != "" {
		remarks = append([]string{res.run.note}, remarks...)
	}
	verdict := res.verdict
	if res.flags != "" {
		verdict += " [" + res.flags + "]"
	}
	columns := []string{res.run.name, res.version, strings.Join(res.ports, ", "), strings.Join(res.services, "; "), strings.Join(res.processes, ", "), verdict, strings.Join(remarks, "; ")}
	for i := range columns {
		columns[i] = cell(short(columns[i], 300))
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(columns, " | "))
}

// cell makes text safe in a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "*", `\*`, "<", "&lt;").Replace(strings.TrimSpace(s))
}

// short shortens s to n bytes of whole characters.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
