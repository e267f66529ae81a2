package words

import (
	"cmp"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
)

// MaxCommand is the number of characters of a command line that are shown and copied:
// everything that monitor/process keeps, which is 16 KB.
const MaxCommand = 20_000

// Command returns a process's command line, masked and cleaned.
func Command(o monitor.Owner) string {
	return monitor.Clean(strings.Join(monitor.MaskCommand(o.Command), " "), MaxCommand)
}

// ShellCommand returns a process's command line, masked and quoted, so that a shell
// runs exactly that command when it is pasted.
func ShellCommand(o monitor.Owner) string {
	return monitor.ShellCommand(monitor.MaskCommand(o.Command))
}

// Description describes a listener, as far as it is known: "Vite in acme-web (git:
// main)". It omits a service that is only guessed from the port.
func Description(l *monitor.Listener, o monitor.Owner) string {
	service, project := monitor.Clean(Service(l), 180), monitor.Clean(cmp.Or(o.Project, l.Project), 60)
	if l.ServiceBy == monitor.ByPort {
		service = ""
	}
	if framework := Framework(l); framework != "" && service != "" {
		service += " (" + framework + ")"
	}
	text := service + project
	if service != "" && project != "" {
		text = lang.L("{{.Service}} in {{.Project}}", map[string]any{"Service": service, "Project": project})
	}
	if branch := monitor.Clean(o.Branch, 80); branch != "" && project != "" {
		text = lang.L("{{.What}} (git: {{.Branch}})", map[string]any{"What": text, "Branch": branch})
	}
	return text
}

// Framework is the development framework or application server of l, "" if its
// service already names it.
func Framework(l *monitor.Listener) string {
	if l.Framework == l.Service {
		return ""
	}
	return monitor.Clean(l.Framework, 60)
}

// ServiceWithSource returns the service of l and how it was recognised: "Vite (by its
// command)".
func ServiceWithSource(l *monitor.Listener) string {
	name := monitor.Clean(Service(l), 180)
	service := map[string]any{"Service": name}
	switch {
	case l.Service == "", l.Container != nil && l.Service == l.Container.Description():
		return name
	case l.ServiceBy == monitor.ByProgram:
		return lang.L("{{.Service}} (from the program)", service)
	case l.ServiceBy == monitor.ByCommand:
		return lang.L("{{.Service}} (from the command)", service)
	case l.ServiceBy == monitor.ByUnit:
		return lang.L("{{.Service}} (from the systemd unit)", service)
	}
	return lang.L("{{.Service}} (guess from the port)", service)
}
