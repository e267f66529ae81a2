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
	"porthole/app/link"
	"porthole/app/settings"
	"porthole/monitor/activity/store"
	"porthole/monitor/socket"
)

// listeningPorts tells which way to the kernel's table is in use, and whether
// the kernel tells closes by itself.
func listeningPorts() Finding {
	f := Finding{Subject: "Listening ports", State: Works}
	table, err := socket.Open(slog.New(slog.DiscardHandler)) // Source says what a log would
	if err != nil {
		f.State, f.Text, f.Fix = Broken, err.Error(), "end programs that hold many files, or raise the limit (ulimit -n)"
		return f
	}
	defer table.Close()
	f.Text = table.Source()
	if strings.HasSuffix(f.Text, "polled") && runtime.GOOS == "linux" {
		f.State = Missing
		f.Text += ": closes are seen at the next look, not at once"
		f.Fix = "allow netlink sockets (AF_NETLINK, NETLINK_SOCK_DIAG) in the sandbox or container that Porthole runs in"
	}
	return f
}

// owners tells whose processes can be seen. Process 1 is root's everywhere, and
// under hidepid it is not even there.
func owners() Finding {
	f := Finding{Subject: "Owners", State: Works, Text: "processes of all users can be seen"}
	if runtime.GOOS != "linux" {
		f.Text = "your own processes can be seen, and those that the system shows you"
		return f
	}
	_, err := os.ReadDir("/proc/1/fd")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.State, f.Text = Missing, "your own processes can be seen; /proc hides those of other users (hidepid)"
	case err != nil:
		f.State, f.Text = Missing, "your own processes can be seen; of other users' ports the user and, where it tells, the systemd unit or container"
	default:
		return f
	}
	f.Fix = "nothing, that is usual; to see every owner, run \"sudo porthole list\""
	return f
}

func userSettings() Finding {
	f := Finding{Subject: "Settings", State: Works, Text: settings.Path()}
	s, err := settings.Open(settings.Path()).Load()
	switch {
	case err != nil:
		f.State, f.Text, f.Fix = Broken, err.Error(), "correct that line; until then the last good settings hold, or the defaults"
	case s.Newer:
		f.State, f.Text, f.Fix = Missing, f.Text+" was written by a newer Porthole and is not changed", "install that Porthole again"
	case len(s.Remarks) > 0:
		f.State, f.Text, f.Fix = Missing, strings.Join(s.Remarks, "; "), "correct or remove what is not known"
	case !s.Notifications:
		f.Text += "; notifications are switched off in it"
	}
	return f
}

func storedActivity(ctx context.Context) Finding {
	path := settings.ActivityPath()
	f := Finding{Subject: "Activity", State: Works}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.Text = path + " is not there yet: Porthole makes it when it runs"
		return f
	}
	var version int
	var known bool
	if err == nil {
		version, known, err = store.OpenReader(path).Version(ctx)
	}
	switch {
	case err != nil:
		f.State, f.Text, f.Fix = Broken, err.Error(), "make it readable for you, or move it away; Porthole begins another"
	case !known:
		f.State, f.Fix = Missing, "install the newer Porthole that wrote it; this one adds nothing"
		fallthrough
	default:
		f.Text = fmt.Sprintf("%s, version %d, %d KB", path, version, (info.Size()+1023)/1024)
	}
	return f
}

// agent tells whether a Porthole runs and answers.
func agent() Finding {
	f := Finding{Subject: "Running Porthole", State: Missing, Fix: "start it: porthole, or porthole --hidden"}
	place, err := link.FindPlace()
	if err != nil {
		f.State, f.Text, f.Fix = Broken, err.Error(), "log in anew, so that XDG_RUNTIME_DIR is a folder of yours"
		return f
	}
	_, err = link.Ask(place, link.Message{Kind: link.Recall}) // of no port: it only has to answer
	switch {
	case errors.Is(err, link.ErrNoAgent):
		f.Text = "none: nothing is watched, told or remembered"
	case err != nil:
		f.State, f.Text, f.Fix = Broken, err.Error(), ""
	default:
		f.State, f.Text, f.Fix = Works, "it watches, and answers, at "+place.String(), ""
	}
	return f
}

func login() Finding {
	f := Finding{Subject: "Start at login", State: Works, Text: "off"}
	entry, err := autostart.Own()
	var on bool
	if err == nil {
		on, err = entry.Enabled()
	}
	switch {
	case err != nil:
		f.State, f.Text, f.Fix = Missing, err.Error(), "make the file readable, or remove it"
	case on:
		f.Text = "on"
	}
	return f
}

// paths are the folders in use, and whether they can be written.
func paths() []Finding {
	return []Finding{
		folder("Settings folder", filepath.Dir(settings.Path())),
		folder("State and log", filepath.Join(xdg.StateHome, "porthole")),
	}
}

func folder(subject, path string) Finding {
	f := Finding{Subject: subject, State: Works, Text: path}
	err := writable(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text += " is not there yet"
	case err != nil:
		f.State, f.Text, f.Fix = Broken, path+" cannot be written", "free some space, or make it yours: chown -R $USER "+path
	}
	return f
}

// writable makes a file in a folder and removes it: nothing else tells of a full
// or read-only disk.
func writable(path string) error {
	probe, err := os.CreateTemp(path, ".doctor-*")
	if err != nil {
		return fmt.Errorf("write into %s: %w", path, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
