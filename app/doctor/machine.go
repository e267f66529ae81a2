package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"

	"porthole/app/autostart"
	"porthole/app/ipc"
	"porthole/app/paths"
	"porthole/app/settings"
	"porthole/monitor/history/store"
	"porthole/monitor/owner"
	"porthole/monitor/procevents"
	"porthole/monitor/socket"
	"porthole/monitor/sockevents"
)

// listeningPorts checks how the kernel's socket table is read, and whether the
// kernel reports closed sockets.
func listeningPorts() Finding {
	f := Finding{Subject: "Listening ports", Status: OK}
	table, err := socket.Open(slog.New(slog.DiscardHandler)) // Source returns what would be logged
	if err != nil {
		f.Status, f.Message, f.Fix = Error, err.Error(), "quit programs with many open files, or raise the limit (ulimit -n)"
		return f
	}
	defer table.Close()
	f.Message = table.Source()
	if strings.HasSuffix(f.Message, "polled") && runtime.GOOS == "linux" {
		f.Status = Warning
		f.Message += ": closed ports are noticed at the next poll instead of immediately"
		f.Fix = "allow netlink sockets (AF_NETLINK, NETLINK_SOCK_DIAG) in the sandbox or container in which Porthole runs"
	}
	return f
}

// endedConnections checks whether the kernel reports connections that have ended, so
// that short ones are counted.
func endedConnections() Finding {
	f := Finding{Subject: "Connections", Status: OK, Message: "the kernel reports each connection that ends (available): short ones are counted"}
	found, err := sockevents.Probe()
	if err != nil {
		f.Status, f.Message = Warning, fmt.Sprintf("connections are not counted (%s): %v", found, err)
		f.Fix = "no action needed, everything else works; to count them, run Porthole on Linux outside of sandboxes and containers that deny NETLINK_SOCK_DIAG"
	}
	return f
}

// processEvents checks whether the kernel reports programs that start and processes that
// fail. Everything else works without.
func processEvents() Finding {
	f := Finding{Subject: "Process events", Status: OK}
	programs := procevents.Open()
	defer programs.Close()
	f.Message = procevents.Describe(programs)
	if s := programs.State(); s == procevents.Refused || s == procevents.Silent {
		f.Status = Warning
		f.Message += "; new ports are seen up to one polling interval later, and " + exitsWithoutEvents(programs.TellsExits())
		f.Fix = "no action needed; the events need Linux 6.6 and no container: run Porthole outside of it"
	}
	return f
}

// exitsWithoutEvents says which crashes are known without process events. byPidfd: the kernel
// tells exits through pidfds, since Linux 6.15 (PIDFD_GET_INFO in linux/pidfd.h).
func exitsWithoutEvents(byPidfd bool) string {
	if byPidfd {
		return "crashes are known only of the first 128 owners that Porthole can see, once the parent has waited for the process (by pidfd, Linux 6.15)"
	}
	return "crashes are shown as closes, because how a process ended stays unknown (without the events that needs Linux 6.15)"
}

// owners checks whether the processes of other users can be read. Process 1
// belongs to root everywhere; with hidepid it does not even appear.
func owners() Finding {
	f := Finding{Subject: "Owners", Status: OK, Message: "the processes of all users are visible"}
	if runtime.GOOS != "linux" {
		f.Message = "your processes are visible, and those of other users as far as the system allows"
		return f
	}
	if owner.InPIDNamespace() {
		f.Status, f.Message = Warning, "only the processes in this container or PID namespace are visible"
		f.Fix = "to see the owners of all ports, run Porthole outside of it"
		return f
	}
	_, err := os.ReadDir("/proc/1/fd")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Status, f.Message = Warning, "only your processes are visible; /proc hides those of other users (hidepid)"
	case err != nil:
		f.Status, f.Message = Warning, "only your processes are visible; for the ports of other users: the user and, if known, the systemd unit or container"
	default:
		return f
	}
	f.Fix = "no action needed, this is normal; to see all owners: sudo porthole list"
	return f
}

func userSettings() Finding {
	f := Finding{Subject: "Settings", Status: OK, Message: settings.Path()}
	s, err := settings.Open(settings.Path()).Load()
	switch {
	case err != nil:
		f.Status, f.Message, f.Fix = Error, err.Error(), "correct that line; until then Porthole uses the last valid settings, or the defaults"
	case s.Newer:
		f.Status, f.Message, f.Fix = Warning, f.Message+" was written by a newer Porthole; this version does not change it", "install the newer Porthole again"
	case len(s.Warnings) > 0:
		f.Status, f.Message, f.Fix = Warning, joinWarnings(s.Warnings), "correct or remove the unknown keys"
	case !s.Notifications:
		f.Message += " (notifications are disabled)"
	}
	return f
}

// joinWarnings returns warnings in one line.
func joinWarnings(warnings []settings.Problem) string {
	texts := make([]string, len(warnings))
	for i, w := range warnings {
		texts[i] = w.Error()
	}
	return strings.Join(texts, "; ")
}

func storedHistory(ctx context.Context) Finding {
	path := paths.History()
	f := Finding{Subject: "History", Status: OK}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.Message = path + " does not exist yet; Porthole creates it when it runs"
		return f
	}
	var version int
	var known bool
	if err == nil {
		version, known, err = store.OpenReader(path).Version(ctx)
	}
	switch {
	case err != nil:
		f.Status, f.Message, f.Fix = Error, err.Error(), "make the file readable, or move it away; then Porthole creates a new one"
	case !known:
		f.Status, f.Fix = Warning, "install the newer Porthole that wrote the file; this version does not record events in it"
		fallthrough
	default:
		f.Message = fmt.Sprintf("%s, version %d, %d KB", path, version, (info.Size()+1023)/1024)
	}
	return f
}

// agent checks whether Porthole is running and responds, and whether the hooks of
// watches succeed.
func agent() []Finding {
	f := Finding{Subject: "Running Porthole", Status: Warning, Fix: "start it: porthole, or porthole --hidden"}
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		f.Status, f.Message, f.Fix = Error, err.Error(), "log in again, so that XDG_RUNTIME_DIR is a folder of yours"
		return []Finding{f}
	}
	answer, err := ipc.Request(dir, ipc.Message{Kind: ipc.Lookup})
	switch {
	case errors.Is(err, ipc.ErrNotRunning):
		f.Message = "not running: no notifications, and events are not recorded"
	case err != nil:
		f.Status, f.Message, f.Fix = Error, err.Error(), ""
	default:
		f.Status, f.Message, f.Fix = OK, "responds at "+dir.String(), ""
	}
	if answer.Status == nil { // not running, or an older version
		return []Finding{f}
	}
	return append([]Finding{f}, hooks(*answer.Status)...)
}

// hooks checks the hooks of the running Porthole's watches; without one it returns
// nothing. The report names neither the watch nor its command.
func hooks(s ipc.Status) []Finding {
	count := 0
	for _, rule := range s.Watches.Active() {
		if rule.HasHook() {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	f := Finding{Subject: "Hooks", Status: OK, Message: fmt.Sprintf("watches with a command or URL: %d; none failed", count)}
	if !s.HookFailedAt.IsZero() {
		f.Status, f.Message = Warning, fmt.Sprintf("watches with a command or URL: %d; the last failure was at %s", count, s.HookFailedAt.Local().Format(time.DateTime))
		f.Fix = "read the reason in the window, or in the log (" + paths.Log() + "): the hook of a watch failed"
	}
	return []Finding{f}
}

func startAtLogin() Finding {
	f := Finding{Subject: "Start at login", Status: OK, Message: "off"}
	entry, err := autostart.Current()
	var on bool
	if err == nil {
		on, err = entry.Enabled()
	}
	switch {
	case err != nil:
		f.Status, f.Message, f.Fix = Warning, err.Error(), "make the file readable, or remove it"
	case on:
		f.Message = "on"
	}
	return f
}

// folders checks whether Porthole's folders can be written.
func folders() []Finding {
	return []Finding{
		folder("Settings folder", paths.Config()),
		folder("State folder", paths.State()),
	}
}

func folder(subject, path string) Finding {
	f := Finding{Subject: subject, Status: OK, Message: path}
	err := paths.CheckWritable(path, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Message += " does not exist yet"
	case err != nil:
		f.Status, f.Message, f.Fix = Error, "cannot write to "+path, "free disk space, or change the owner: chown -R $USER "+path
	}
	return f
}
