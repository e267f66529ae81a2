package process

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file makes the list of facts about a process: its command, service and so on.

// factList returns the labelled facts. Unknown facts are left out.
func (p *Window) factList() fyne.CanvasObject {
	list := container.New(widgets.LabelledRows{Label: 96})
	label := func(words string) {
		list.Add(widgets.Follow(widgets.NewText(words, table.ColorMuted), table.ColorMuted))
	}
	add := func(words, value string) {
		if value != "" {
			label(words)
			list.Add(widgets.NewMono(value))
		}
	}
	o := p.owner
	if o.PID == 0 {
		add(lang.L("Label"), p.listener.Label)
		add(lang.L("Note"), p.listener.Note)
		add(lang.L("User"), words.User(p.listener.User, p.listener.UserUnknown))
		add(lang.L("Owner"), p.unknownReason())
		add(lang.L("Unit"), monitor.Clean(p.listener.Unit, 200))
		add(lang.L("Container"), words.ContainerDetails(p.listener))
		if i := p.listener.Inferred; i != nil {
			add(lang.L("Probably"), lang.L("{{.Name}} ({{.PID}}), the only process in its cgroup",
				map[string]any{"Name": monitor.Clean(i.Name, 60), "PID": i.PID}))
			add(lang.L("Command"), words.Command(*i))
		}
		return list
	}
	add(lang.L("Label"), p.listener.Label)
	add(lang.L("Note"), p.listener.Note)
	add(lang.L("PID"), fmt.Sprint(o.PID))
	add(lang.L("User"), words.User(o.User, o.UserUnknown))
	if words := words.Command(o); words != "" {
		p.command = widgets.NewMono(words)
		label(lang.L("Command"))
		list.Add(p.command)
	}
	add(lang.L("Service"), words.ServiceWithSource(p.listener))
	add(lang.L("Framework"), words.Framework(p.listener))
	add(lang.L("Program"), words.Path(o.Program, 400, o))
	add(lang.L("Folder"), words.Path(o.Folder, 400, o))
	add(lang.L("Output"), words.Path(o.Output, 400, o))
	add(lang.L("Container"), words.ContainerDetails(p.listener))
	add(lang.L("Project"), words.Project(o))
	if !o.StartedAt.IsZero() {
		add(lang.L("Started"), words.Moment(o.StartedAt, p.now()))
	}
	label(lang.L("Resources"))
	list.Add(p.resources)
	return list
}
