package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/adrg/xdg"

	"porthole/app/autostart"
	"porthole/app/ipc"
	"porthole/app/settings"
	"porthole/monitor/history/store"
	"porthole/monitor/socket"
)

// listeningPorts tells which way to the kernel's table is in use, and whether
// the kernel tells closes by itself.
func listeningPorts() Finding {
	f := Finding{Subject: "Listening ports", Status: OK}
	table, err := socket.Open(slog.New(slog.DiscardHandler)) // Source says what a log would
	if err != nil {
		f.Status, f.Message, f.Fix = Error, err.Error(), "end programs that hold many files, or raise the limit (ulimit -n)"
		return f
	}
	defer table.Close()
	f.Message = table.Source()
	if strings.HasSuffix(f.Message, "polled") && runtime.GOOS == "linux" {
		f.Status = Warning
		f.Message += ": closes are seen at the next look, not at once"
		f.Fix = "allow netlink sockets (AF_NETLINK, NETLINK_SOCK_DIAG) in the sandbox or container that Porthole runs in"
	}
	return f
}

// owners tells whose processes can be seen. Process 1 is root's everywhere, and
// under hidepid it is not even there.
func owners() Finding {
	f := Finding{Subject: "Owners", Status: OK, Message: "processes of all users can be seen"}
	if runtime.GOOS != "linux" {
		f.Message = "your own processes can be seen, and those that the system shows you"
		return f
	}
	_, err := os.ReadDir("/proc/1/fd")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Status, f.Message = Warning, "your own processes can be seen; /proc hides those of other users (hidepid)"
	case err != nil:
		f.Status, f.Message = Warning, "your own processes can be seen; of other users' ports the user and, where it tells, the systemd unit or container"
	default:
		return f
	}
	f.Fix = "nothing, that is usual; to see every owner, run \"sudo porthole list\""
	return f
}

func userSettings() Finding {
	f := Finding{Subject: "Settings", Status: OK, Message: settings.Path()}
	s, err := settings.Open(settings.Path()).Load()
	switch {
	case err != nil:
		f.Status, f.Message, f.Fix = Error, err.Error(), "correct that line; until then the last good settings hold, or the defaults"
	case s.Newer:
		f.Status, f.Message, f.Fix = Warning, f.Message+" was written by a newer Porthole and is not changed", "install that Porthole again"
	case len(s.Warnings) > 0:
		f.Status, f.Message, f.Fix = Warning, strings.Join(s.Warnings, "; "), "correct or remove what is not known"
	case !s.Notifications:
		f.Message += "; notifications are switched off in it"
	}
	return f
}

func storedHistory(ctx context.Context) Finding {
	path := settings.HistoryPath()
	f := Finding{Subject: "Activity", Status: OK}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.Message = path + " is not there yet: Porthole makes it when it runs"
		return f
	}
	var version int
	var known bool
	if err == nil {
		version, known, err = store.OpenReader(path).Version(ctx)
	}
	switch {
	case err != nil:
		f.Status, f.Message, f.Fix = Error, err.Error(), "make it readable for you, or move it away; Porthole begins another"
	case !known:
		f.Status, f.Fix = Warning, "install the newer Porthole that wrote it; this one adds nothing"
		fallthrough
	default:
		f.Message = fmt.Sprintf("%s, version %d, %d KB", path, version, (info.Size()+1023)/1024)
	}
	return f
}

// agent tells whether a Porthole runs and answers.
func agent() Finding {
	f := Finding{Subject: "Running Porthole", Status: Warning, Fix: "start it: porthole, or porthole --hidden"}
	place, err := ipc.OpenRuntimeDir()
	if err != nil {
		f.Status, f.Message, f.Fix = Error, err.Error(), "log in anew, so that XDG_RUNTIME_DIR is a folder of yours"
		return f
	}
	_, err = ipc.Request(place, ipc.Message{Kind: ipc.Lookup}) // of no port: it only has to answer
	switch {
	case errors.Is(err, ipc.ErrNotRunning):
		f.Message = "none: nothing is watched, told or remembered"
	case err != nil:
		f.Status, f.Message, f.Fix = Error, err.Error(), ""
	default:
		f.Status, f.Message, f.Fix = OK, "it watches, and answers, at "+place.String(), ""
	}
	return f
}

func login() Finding {
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

// folders are the folders in use, and whether they can be written.
func folders() []Finding {
	return []Finding{
		folder("Settings folder", filepath.Dir(settings.Path())),
		folder("State and log", filepath.Join(xdg.StateHome, "porthole")),
	}
}

func folder(subject, path string) Finding {
	f := Finding{Subject: subject, Status: OK, Message: path}
	err := checkWritable(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Message += " is not there yet"
	case err != nil:
		f.Status, f.Message, f.Fix = Error, path+" cannot be written", "free some space, or make it yours: chown -R $USER "+path
	}
	return f
}

// checkWritable makes a file in a folder and removes it: nothing else tells of a full
// or read-only disk.
func checkWritable(path string) error {
	probe, err := os.CreateTemp(path, ".doctor-*")
	if err != nil {
		return fmt.Errorf("write into %s: %w", path, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
