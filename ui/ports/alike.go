package ports

import (
	"path/filepath"

	"porthole/monitor"
	"porthole/ui/words"
)

// This file shows what distinguishes rows and cards that would look alike.

// portOf identifies a port.
type portOf struct {
	protocol monitor.Protocol
	number   uint16
}

// showDistinguishing shows the columns without which rows would look alike: the address
// if rows have the same port, the branch if a project runs in two worktrees, and the
// command if one program of a project runs with several; and the labels if there are any.
// A column stays until the window is closed, so that columns do not come and go.
func (p *Page) showDistinguishing() {
	p.alike = false
	type program struct{ process, project, branch string }
	ports, programs, branches := map[portOf]*portRow{}, map[program]*portRow{}, map[program]string{}
	shared := map[portOf][]*portRow{} // ports with several rows
	for r := range p.rows.listening() {
		if r.label != "" {
			p.table.ShowColumn("label")
		}
		number := portOf{r.listener.Protocol, r.listener.Port}
		if other := ports[number]; other != nil {
			if other.address != r.address {
				p.table.ShowColumn("address")
			}
			if len(shared[number]) == 0 {
				shared[number] = []*portRow{other}
			}
			shared[number] = append(shared[number], r)
		}
		ports[number] = r
		if r.project == "" {
			continue
		}
		in := program{r.process, r.project, ""}
		if branch, known := branches[in]; known && branch != r.branch {
			p.table.ShowColumn("branch")
		}
		branches[in] = r.branch
		in.branch = r.branch
		if other := programs[in]; other != nil && other.group != r.group && other.commandText() != r.commandText() {
			p.table.ShowColumn("command")
		}
		programs[in] = r
	}
	for _, rows := range shared {
		for _, column := range distinguishing(rows) {
			p.table.KeepColumn(column)
		}
	}
}

// distinguishingColumns are the columns that tell rows of one port apart, those that people
// know best first.
var distinguishingColumns = []struct {
	id   string
	text func(*portRow) string
}{
	{"project", func(r *portRow) string { return r.project }},
	{"branch", func(r *portRow) string { return r.branch }},
	{"address", func(r *portRow) string { return r.address }},
	{"pid", func(r *portRow) string { return r.pid }},
}

// distinguishing returns the columns that tell rows of one port apart, beside those that every
// table has, as few as possible.
func distinguishing(rows []*portRow) (columns []string) {
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = r.process + "\x00" + r.exposure
	}
	n := different(texts)
	for _, c := range distinguishingColumns {
		if n == len(rows) {
			break
		}
		with := make([]string, len(rows))
		for i, r := range rows {
			with[i] = texts[i] + "\x00" + c.text(r)
		}
		if m := different(with); m > n {
			columns, texts, n = append(columns, c.id), with, m
		}
	}
	return columns
}

// different returns the number of different texts.
func different(texts []string) int {
	set := make(map[string]bool, len(texts))
	for _, text := range texts {
		set[text] = true
	}
	return len(set)
}

// distinctOwners returns how cards name the owners of listeners: with the branch where owners of one
// name work in several, or else with the folder.
func distinctOwners(listeners []*monitor.Listener) func(*monitor.Listener) string {
	parts := []func(monitor.Owner) string{
		func(o monitor.Owner) string { return monitor.Clean(o.Branch, 60) },
		func(o monitor.Owner) string {
			if o.Folder == "" {
				return ""
			}
			return monitor.Clean(filepath.Base(o.Folder), 60)
		},
	}
	type first struct {
		text    string
		differs bool
	}
	seen := make([]map[string]first, len(parts)) // by name
	for i, part := range parts {
		seen[i] = map[string]first{}
		for _, l := range listeners {
			o, known := l.Principal()
			if !known {
				continue
			}
			name, text := words.Owner(l), part(o)
			if other, known := seen[i][name]; known {
				text, other.differs = other.text, other.differs || other.text != text
				seen[i][name] = first{text, other.differs}
			} else {
				seen[i][name] = first{text, false}
			}
		}
	}
	return func(l *monitor.Listener) string {
		name := words.Owner(l)
		o, known := l.Principal()
		for i, part := range parts {
			if text := part(o); known && text != "" && seen[i][name].differs {
				return name + " · " + text
			}
		}
		return name
	}
}
