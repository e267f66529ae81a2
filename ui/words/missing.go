package words

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
)

// This file says what is missing or different of a process, and why.

// Path returns a path of o, cleaned. A path in another mount namespace is marked.
func Path(path string, limit int, o monitor.Owner) string {
	path = monitor.Clean(path, limit)
	if path == "" || !o.Inside {
		return path
	}
	return lang.L("{{.Path}} (inside its container or mount namespace)", map[string]any{"Path": path})
}

// FolderProblem returns why the folder of o cannot be opened; "" if it may be.
func FolderProblem(o monitor.Owner) string {
	if o.Inside {
		return lang.L("This folder is inside the container or mount namespace of the process. Here, its path is another folder or none.")
	}
	return ""
}

// Project returns the project of o, or why it is unknown; "" if it has none.
func Project(o monitor.Owner) string {
	if project := monitor.Clean(o.Project, 100); project != "" {
		return project
	}
	return unknownFor(o.ProjectUnknown)
}

// User returns the name of a user, or the number and why the name is unknown.
func User(name, unknown string) string {
	name = monitor.Clean(name, 60)
	if name == "" || unknown == "" {
		return name
	}
	return lang.L("{{.Number}} (name unknown: {{.Why}})", map[string]any{"Number": name, "Why": reasonText(unknown)})
}

// unknownFor returns "unknown: " with a reason, "" without one.
func unknownFor(reason string) string {
	if reason == "" {
		return ""
	}
	return lang.L("unknown: {{.Why}}", map[string]any{"Why": reasonText(reason)})
}

// reasonText returns one of the reasons of package monitor in the user's language.
func reasonText(reason string) string { return lang.L(reason) }
