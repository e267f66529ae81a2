package ui

import (
	"cmp"
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/ui/table"
)

// This file is what a process is, in words: the facts in its window, its command
// and its service.

// factList lists what is known; what is not has no line.
func (p *processWindow) factList() fyne.CanvasObject {
	list := container.New(factRows{label: 96})
	label := func(words string) {
		list.Add(follow(canvas.NewText(words, theme.Color(table.ColorMuted)), table.ColorMuted))
	}
	add := func(words, value string) {
		if value != "" {
			label(words)
			list.Add(mono(value))
		}
	}
	o := p.owner
	if o.PID == 0 {
		add(lang.L("User"), monitor.Clean(p.row.User, 60))
		add(lang.L("Owner"), p.unknownReason())
		add(lang.L("Unit"), monitor.Clean(p.row.Unit, 200))
		add(lang.L("Container"), containerDetails(p.row))
		if i := p.row.Inferred; i != nil {
			add(lang.L("Inferred"), lang.L("{{.Name}} ({{.PID}}), the only process in its control group",
				map[string]any{"Name": monitor.Clean(i.Name, 60), "PID": i.PID}))
			add(lang.L("Command"), maskedCommand(*i))
		}
		return list
	}
	add(lang.L("PID"), fmt.Sprint(o.PID))
	add(lang.L("User"), monitor.Clean(o.User, 60))
	if words := maskedCommand(o); words != "" {
		p.command = mono(words)
		label(lang.L("Command"))
		list.Add(p.command)
	}
	add(lang.L("Service"), serviceWithSource(p.row))
	add(lang.L("Program"), monitor.Clean(o.Program, 400))
	add(lang.L("Folder"), monitor.Clean(o.Folder, 400))
	add(lang.L("Container"), containerDetails(p.row))
	add(lang.L("Project"), monitor.Clean(o.Project, 100))
	if !o.StartedAt.IsZero() {
		add(lang.L("Started"), Moment(o.StartedAt, p.now()))
	}
	label(lang.L("Uses"))
	list.Add(p.resources)
	return list
}

// maxCommand is how many letters of a command line are shown and copied: all that
// is kept of it, which is 16 KB (monitor/process).
const maxCommand = 20_000

// maskedCommand is a command line, masked and clean.
func maskedCommand(o monitor.Owner) string {
	return monitor.Clean(strings.Join(monitor.MaskCommand(o.Command), " "), maxCommand)
}

// descriptionOf says what a listener is, as far as that is known: "Vite of acme-web
// (git: main)". A service that nothing but the port tells is a guess, which is
// not said here.
func descriptionOf(l *monitor.Listener, o monitor.Owner) string {
	service, project := monitor.Clean(serviceOf(l), 180), monitor.Clean(cmp.Or(o.Project, l.Project), 60)
	if l.ServiceBy == monitor.ByPort {
		service = ""
	}
	text := service + project
	if service != "" && project != "" {
		text = lang.L("{{.Service}} of {{.Project}}", map[string]any{"Service": service, "Project": project})
	}
	if branch := monitor.Clean(o.Branch, 80); branch != "" && project != "" {
		text = lang.L("{{.What}} (git: {{.Branch}})", map[string]any{"What": text, "Branch": branch})
	}
	return text
}

// serviceWithSource is the service of l with how sure that is: "Vite (by its command)".
func serviceWithSource(l *monitor.Listener) string {
	name := monitor.Clean(serviceOf(l), 180)
	service := map[string]any{"Service": name}
	switch {
	case l.Service == "", l.Container != nil && l.Service == l.Container.Description():
		return name
	case l.ServiceBy == monitor.ByProgram:
		return lang.L("{{.Service}} (by its program)", service)
	case l.ServiceBy == monitor.ByCommand:
		return lang.L("{{.Service}} (by its command)", service)
	}
	return lang.L("{{.Service}} (only usual for this port)", service)
}
