// Package warning finds what deserves attention about a listener and its
// process, with advice for each. It is pure, like package ancestry.
package warning

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/service"
)

// Kind is the kind of a warning.
type Kind string

// The kinds of warnings. Readers must ignore unknown kinds.
const (
	Suspended       Kind = "suspended"           // it was stopped by SIGSTOP or Ctrl+Z and answers nothing
	Paused          Kind = "paused"              // its container or control group is paused
	Orphaned        Kind = "orphaned"            // its shell or terminal has ended
	QueueFull       Kind = "queue_full"          // its accept queue is full
	ProgramReplaced Kind = "program_replaced"    // its program file was deleted or replaced
	FolderDeleted   Kind = "folder_deleted"      // its working directory was deleted
	UntrustedFolder Kind = "untrusted_folder"    // its program is in a folder for temporary files or downloads
	Preload         Kind = "preload"             // it was started with LD_PRELOAD
	RunsAsRoot      Kind = "root"                // it runs as root, which its service does not need
	Exposed         Kind = "exposed"             // it is exposed to the network, which is unusual for its service
	Public          Kind = "public"              // the internet can reach it through a tunnel, which is unusual for its service
	AmbiguousName   Kind = "ambiguous_localhost" // "localhost" may lead to another process on its port
)

// Warning is one warning about a process.
type Warning struct {
	Kind   Kind   `json:"kind"`
	Detail string `json:"detail,omitempty"` // the folder, the library, the queue, the PID or the kind of service: cleaned and masked
}

// Check returns the warnings about o, which holds l, most urgent first: what is
// unusual for the service and can be acted on. A packaged server that does its job
// gets none. If the owner is unknown, o is zero, and only the listener itself is
// checked: the user of a socket is not that of the process that holds it.
func Check(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, state monitor.ProcessState) []Warning {
	var warnings []Warning
	add := func(is bool, kind Kind, detail string) {
		if is {
			warnings = append(warnings, Warning{kind, detail})
		}
	}
	add(state.Suspended, Suspended, strconv.Itoa(o.PID))
	add(state.Paused, Paused, "")
	add(why.Orphaned, Orphaned, "")
	add(state.QueueFull, QueueFull, fmt.Sprintf("%d of %d", state.QueueLength, state.QueueLimit))
	add(o.Deleted || state.ProgramDeleted, ProgramReplaced, "")
	add(state.FolderDeleted, FolderDeleted, "")
	folder := untrustedFolder(o, why)
	add(folder != "", UntrustedFolder, folder)
	add(state.Preload != "", Preload, monitor.CleanMasked(state.Preload, 80))
	kind, packaged := service.KindOf(l), isPackaged(l, o, why)
	add((o.User == "root" || state.RunsAsRoot) && rootIsUnusual(l, kind, packaged), RunsAsRoot, "")
	tunnel, public := l.PublicTunnel()
	add(public && (kind == service.Database || kind == service.Debugger || kind == service.Admin), Public, tunnel.Through)
	add(l.OnNetwork() && exposureIsUnusual(l, kind, packaged) && !isProtected(kind, state.Firewall), Exposed, string(kind))
	return warnings
}

// untrustedFolder returns the folder for temporary files or downloads that
// contains o's program, or the script that its interpreter runs; "" if neither is
// in one.
func untrustedFolder(o monitor.Owner, why ancestry.Explanation) string {
	if why.Script != nil && strings.HasPrefix(why.Script.Name, "go ") && strings.Contains(o.Program, "/go-build") {
		return "" // go run builds there
	}
	if folder := untrustedParent(o.Program); folder != "" {
		return folder
	}
	script := ancestry.ScriptFile(o.Command)
	if script == "" {
		return ""
	}
	if !filepath.IsAbs(script) {
		script = filepath.Join(o.Folder, script)
	}
	return untrustedParent(script)
}

// untrustedParent returns which of the folders for temporary files and downloads
// contains path; "" if none does.
func untrustedParent(path string) string {
	for _, folder := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		if strings.HasPrefix(path, folder+"/") {
			return folder
		}
	}
	if strings.Contains(path, "/Downloads/") {
		return "Downloads"
	}
	return ""
}
