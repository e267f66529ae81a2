// Package development tells the servers that somebody develops from those that the system
// or a desktop application runs. It is pure.
package development

import (
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

// homes are the folders that contain the home folders of users on Linux and macOS; on
// Windows they are in Users of the system drive.
var homes = []string{"/home/", "/Users/"}

// Is reports whether l is a development server: it runs in a container, its folder or its
// program is below a home folder, or it was started from a terminal, an SSH login or an
// IDE. why explains its principal owner.
//
// The home folder itself does not count, because desktop applications run there, and
// neither do its hidden folders, which have the programs and settings of applications,
// unless the owner works in a project. A program that a systemd unit runs was not started
// from a terminal, whoever started the unit.
func Is(l *monitor.Listener, why ancestry.Explanation) bool {
	if l.Container != nil || l.ContainerID != "" {
		return true
	}
	if why.Session != nil && why.Service() == "" || why.InSession() && why.Shell != nil {
		return true
	}
	o, ok := l.Principal()
	if !ok || o.Inside {
		return false
	}
	if o.Project != "" && isBelowHome(o.Folder) {
		return true
	}
	return isBelowHome(o.Folder) && !isHidden(o.Folder) || isBelowHome(o.Program) && !isHidden(o.Program)
}

// inHome returns the part of path below a home folder; "" if there is none.
func inHome(path string) string {
	path = filepath.ToSlash(path)
	if rest, ok := strings.CutPrefix(path, "/root/"); ok {
		return rest
	}
	if len(path) > 2 && path[1] == ':' {
		path = path[2:]
	}
	for _, home := range homes {
		if rest, ok := strings.CutPrefix(path, home); ok {
			_, below, _ := strings.Cut(rest, "/")
			return below
		}
	}
	return ""
}

func isBelowHome(path string) bool { return inHome(path) != "" }

// isHidden reports whether a folder on the way from the home folder to path is hidden.
func isHidden(path string) bool {
	return slices.ContainsFunc(strings.Split(inHome(path), "/"), func(name string) bool { return strings.HasPrefix(name, ".") })
}
