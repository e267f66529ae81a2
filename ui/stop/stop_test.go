package stop

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"fyne.io/fyne/v2/container"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// desk is a window in which Delete opens the stop dialog for the owners of a listener.
type desk struct {
	uitest.Desk
	l        *monitor.Listener
	dialog   *Dialog      // the open dialog, or nil
	report   func(Update) // sends an update to the dialog
	stopped  []Stopped
	snapshot monitor.Snapshot
}

func newDesk(t *testing.T, l *monitor.Listener, others ...*monitor.Listener) *desk {
	t.Helper()
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{}), l: l}
	d.snapshot = d.Next(append([]*monitor.Listener{l}, others...)...).Snapshot
	d.Host(container.NewWithoutLayout(), fyne.NewSize(1000, 600), func() {})
	d.Window.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyDelete && d.dialog == nil {
			q := Request{Owners: l.Owners, Listeners: []*monitor.Listener{l}, Snapshot: d.snapshot}
			d.dialog = Open(d.Window, q, d, d.Now, func(s Stopped) { d.stopped = append(d.stopped, s) }, func() { d.dialog = nil })
		}
	})
	return d
}

// Stop records the request and keeps report, with which tests send updates.
func (d *desk) Stop(q Request, report func(Update)) Stopping {
	d.report = report
	return d.Stopping(q.Owners)
}

// newStopDesk returns a desk for one process that can be stopped.
func newStopDesk(t *testing.T) (*desk, *monitor.Listener) {
	t.Helper()
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].StartedAt = uitest.Start.Add(-12 * time.Minute)
	l.Owners[0].Folder = "/home/ada/shop"
	l.Owners[0].Command = []string{"node", "server.js", "--token=hunter2", "it's"}
	return newDesk(t, l, uitest.Listening(9229, "node", 10), uitest.Listening(8080, "python3", 20)), l
}

// readyUpdate returns the update that asks for confirmation.
func readyUpdate(l *monitor.Listener, more ...*monitor.Listener) Update {
	return Update{Stage: Ready, Targets: l.Owners, Listeners: append([]*monitor.Listener{l}, more...), GracePeriod: 10 * time.Second}
}

// focused returns the label of the focused button, "" if there is none.
func (d *desk) focused() string {
	if b, ok := d.Window.Canvas().Focused().(*widgets.Button); ok {
		return b.Text
	}
	return ""
}

// tap presses the dialog's button with a label. (Fyne's test driver finds positions only
// in the window that was created last.)
func (d *desk) tap(label string) {
	d.T.Helper()
	for _, o := range d.dialog.buttons.Objects {
		if b, ok := o.(*widgets.Button); ok && b.Text == label {
			b.OnTapped()
			return
		}
	}
	d.T.Fatalf("there is no button %q: %s", label, d.Overlay())
}

func TestDeleteAsksAndEscDoesNothing(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	uitest.Press(d.Window, fyne.KeyDelete) // key repeat
	d.Want("requests", d.Asked, []string{"hold 10"})
	child := uitest.Listening(9000, "esbuild", 11)
	news := readyUpdate(l, d.Last.Listeners[2])
	news.ListeningChildren = []Child{{child.Owners[0], child}}
	news.Managers = []Manager{{Description: "It runs in the unit web.service", Command: "systemctl --user stop web.service"}}
	d.report(news)
	d.WantText("Stop node?", "PID 10 · user ada · since today 15:41", "127.0.0.1:3000 127.0.0.1:9229", "esbuild (11) · 9000",
		"It runs in the unit web.service", "systemctl --user stop web.service")
	if d.focused() != "Cancel" {
		t.Errorf("focused: got %q, want Cancel", d.focused())
	}
	d.Choose("Copy")
	uitest.Press(d.Window, fyne.KeyEscape)
	d.Want("requests", d.Asked, []string{"hold 10", "copy systemctl --user stop web.service", "end"})
	if d.Overlay() != "" || d.dialog != nil {
		t.Error("Esc did not close the dialog")
	}
	d.report(Update{Stage: Done, Targets: l.Owners}) // too late
	if d.Overlay() != "" {
		t.Error("a late update reopened the dialog")
	}
	uitest.Press(d.Window, fyne.KeyDelete) // the window has the keys again
	d.Want("requests after reopening", d.Asked[3:], []string{"hold 10"})
}

func TestStopWaitsThenOffersForce(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	news := readyUpdate(l)
	news.Children = 3
	d.report(news)
	d.WantText("Also stop its 3 child processes")
	d.Window.Canvas().Focus(d.dialog.children)
	uitest.Press(d.Window, fyne.KeyReturn)
	d.Window.Canvas().FocusNext() // to Cancel
	d.Window.Canvas().FocusNext()
	if d.focused() != "Stop" {
		t.Fatalf("Tab after Cancel: got %q, want Stop", d.focused())
	}
	uitest.Press(d.Window, fyne.KeyReturn)
	d.Want("requests", d.Asked, []string{"hold 10", "stop, children true"})
	d.WantText("Stopping node (10)…")
	if d.focused() != "Close" {
		t.Errorf("focused: got %q, want Close, so that nothing is sent twice", d.focused())
	}
	d.At = d.At.Add(4 * time.Second)
	d.dialog.Tick()
	if got := d.dialog.bar.share; got < 0.39 || got > 0.41 {
		t.Errorf("progress after 4 s of 10 s: got %v, want 0.4", got)
	}
	d.report(Update{Stage: StillRunning, StillRunning: l.Owners})
	d.WantText("node (10) is still running", "Force quit ends it immediately")
	if d.focused() != "Keep running" {
		t.Errorf("focused: got %q, want Keep running", d.focused())
	}
	d.tap("Force quit")
	d.Want("requests", d.Asked[2:], []string{"force"})
	d.report(Update{Stage: Done, Targets: l.Owners})
	d.WantText("Stopped", "node (10) exited.")
	d.tap("Copy command")
	d.Want("requests", d.Asked[3:], []string{"copy cd /home/ada/shop && node server.js --token=hunter2 'it'\"'\"'s'"})
	if text := d.Overlay(); strings.Contains(text, "hunter2") {
		t.Errorf("the dialog shows the password: %s", text)
	}
	if len(d.stopped) != 1 || !d.stopped[0].Forced || !d.stopped[0].At.Equal(d.At) || !d.stopped[0].Owners[0].Same(l.Owners[0]) {
		t.Errorf("got reports %+v, want node force quit now", d.stopped)
	}
}

// "Start again" says what it will run, and is pressed once.
func TestDialogStartsAgain(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	d.report(readyUpdate(l))
	d.report(Update{Stage: Done, Targets: l.Owners})
	if strings.Contains(d.Overlay(), "Start again") {
		t.Error("the button is shown although the environment is unknown")
	}
	d.report(Update{Stage: Done, Targets: l.Owners, Again: "Start again runs node in /home/ada/shop."})
	d.WantText("Start again runs node in /home/ada/shop.")
	before := len(d.Asked)
	d.tap("Start again")
	d.Want("requests", d.Asked[before:], []string{"start again"})
	d.WantText("node runs again.")
	if !d.dialog.again.Disabled() {
		t.Error("it can be pressed twice")
	}
}

func TestDialogNamesWhatWasNotStopped(t *testing.T) {
	for stage, want := range map[Stage][]string{
		Refused:       {"Not stopped", "Can't stop node (10): it is Porthole itself."},
		AlreadyExited: {"Already exited", "No signal was sent."},
	} {
		d, l := newStopDesk(t)
		uitest.Press(d.Window, fyne.KeyDelete)
		d.report(readyUpdate(l))
		d.report(Update{Stage: stage, Problems: []string{"Can't stop node (10): it is Porthole itself."}})
		d.WantText(want[0], want[1])
		if d.focused() != "Close" || strings.Contains(d.Overlay(), "Copy command") {
			t.Errorf("stage %d: focused %q, want Close, and no command to copy", stage, d.focused())
		}
		uitest.Press(d.Window, fyne.KeyReturn)
		d.Want("requests", d.Asked, []string{"hold 10", "end"})
	}
}

func TestDialogNamesAllOwners(t *testing.T) {
	l := uitest.Listening(3000, "node", 10)
	for pid := 11; pid < 15; pid++ {
		l.Owners = append(l.Owners, monitor.Owner{PID: pid, Start: 7, Name: "worker\x1b[31m"})
	}
	d := newDesk(t, l)
	uitest.Press(d.Window, fyne.KeyDelete)
	d.Want("requests", d.Asked, []string{"hold 10", "hold 11", "hold 12", "hold 13", "hold 14"})
	d.report(readyUpdate(l))
	d.WantText("Stop 5 processes?", "PID 10 · user ada", "PID 14")
	p := d.dialog.popUp
	if middle := p.Position().Y + p.Size().Height/2; middle < 299 || middle > 301 {
		t.Errorf("in a window of height 600: got the dialog's middle at %v, want 300", middle)
	}
	if strings.Contains(d.Overlay(), "\x1b") {
		t.Error("the dialog shows a name with control characters")
	}
	d.tap("Stop")
	d.WantText("Stopping 5 processes…", "node (10), worker [31m (11), worker [31m (12) and 2 more")
}

// One of several owners, such as one worker, can be stopped alone.
func TestStopOneOfSeveralOwners(t *testing.T) {
	l := uitest.Listening(3000, "node", 10)
	l.Owners = append(l.Owners, monitor.Owner{PID: 11, Start: 7, Name: "worker"})
	d := newDesk(t, l)
	uitest.Press(d.Window, fyne.KeyDelete)
	d.report(readyUpdate(l))
	d.Window.Canvas().Focus(d.dialog.chosen[0])
	uitest.Press(d.Window, fyne.KeyReturn)
	d.WantText("Stop worker?")
	d.Window.Canvas().Focus(d.dialog.chosen[1])
	uitest.Press(d.Window, fyne.KeyReturn) // nothing would be stopped
	if !d.dialog.chosen[1].On {
		t.Error("the last switch: got off, want on")
	}
	d.tap("Stop")
	d.Want("requests", d.Asked[2:], []string{"keep 10", "stop, children false"})
	d.WantText("Stopping worker (11)…")
	d.report(Update{Stage: Done, Targets: l.Owners[1:], StillOpen: []string{"3000 is still open: node (10)."}})
	d.WantText("Stopped", "worker (11) exited.", "3000 is still open: node (10).")
}

func TestForceQuitNow(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	d.report(readyUpdate(l))
	d.tap("Stop")
	d.tap("Force quit now")
	d.Want("requests", d.Asked, []string{"hold 10", "stop, children false", "force"})
	d.WantText("Force quitting node (10)…")
	d.report(Update{Stage: Done, Targets: l.Owners})
	if len(d.stopped) != 1 || !d.stopped[0].Forced {
		t.Errorf("got reports %+v, want node force quit", d.stopped)
	}
}

// A shell must read the copied command as the arguments of the process.
func TestRestartCommand(t *testing.T) {
	command := []string{"printf", `%s\0`, "plain", "", "two words", "it's", `$(id) "x" \`, "a\nb\t\x1b[201~c", "ä\u202eö", "\xff\xfe7", "x=1", "~", "*", "-n"}
	o := monitor.Owner{Command: command, Folder: "/tmp"}
	line := restartCommand(o)
	if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q contains characters that control a terminal", line)
	}
	out, err := exec.Command("bash", "-c", line).Output()
	if err != nil {
		t.Skipf("without bash: %v", err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, command[2:]) {
		t.Errorf("bash reads %q as\n%q; want\n%q", line, got, command[2:])
	}
	for _, c := range []struct {
		o    monitor.Owner
		want string
	}{
		{monitor.Owner{}, ""},
		{monitor.Owner{Command: []string{"java", "x…"}}, ""},
		{monitor.Owner{Command: []string{"node"}}, "node"},
		{monitor.Owner{Command: []string{"node"}, Folder: "/app", Inside: true}, ""},
		{monitor.Owner{Command: []string{"A=1"}, Folder: "/a b"}, "cd '/a b' && 'A=1'"},
	} {
		if got := restartCommand(c.o); got != c.want {
			t.Errorf("restartCommand(%+v) = %q, want %q", c.o, got, c.want)
		}
	}
}

// A process that must not be signalled can be stopped through its manager. The command is
// visible next to its button.
func TestRunButtonStopsThroughTheManager(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	d.report(Update{Stage: Refused, Problems: []string{"Can't stop dockerd (10): it is a container engine."}, Managers: []Manager{
		{Description: "The process publishes the port for the container web.", Command: "docker stop web", CanRun: true},
	}})
	d.WantText("Not stopped", "it is a container engine", "docker stop web")
	d.Choose("Run")
	d.Want("requests", d.Asked, []string{"hold 10", "run docker stop web"})
	d.WantText("Running the command…", "docker stop web")
	d.report(Update{Stage: Done, Targets: l.Owners})
	d.WantText("Stopped")
}

func TestManagerThatCannotBeRunHasNoRunButton(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	news := readyUpdate(l)
	news.Notes = []string{"node (10) is suspended (Ctrl+Z)."}
	news.Managers = []Manager{{Description: "It was started by a loop.", Command: "kill 4200"}, {Description: "It is run by pm2."}}
	d.report(news)
	d.WantText("node (10) is suspended (Ctrl+Z).", "kill 4200", "It is run by pm2.", "node server.js", "/home/ada/shop")
	if text := d.Overlay(); strings.Contains(text, "Run ") || strings.Contains(text, "hunter2") {
		t.Errorf("the dialog has a Run button or shows a password: %s", text)
	}
}

// If another process uses the port, the title "Stopped" would be misleading.
func TestDoneShowsWhatUsesThePort(t *testing.T) {
	d, l := newStopDesk(t)
	uitest.Press(d.Window, fyne.KeyDelete)
	d.report(readyUpdate(l))
	d.tap("Stop")
	d.report(Update{Stage: Done, Targets: l.Owners, InUse: []string{"node (4242) took 3000 again, started by loop.sh (4200)."}})
	d.WantText("Port in use again", "node (10) exited.", "node (4242) took 3000 again, started by loop.sh (4200).")
	if text := d.Overlay(); strings.Contains(text, "Copy command") {
		t.Errorf("the dialog offers to start a second process: %s", text)
	}
	d.tap("Close")
	uitest.Press(d.Window, fyne.KeyDelete)
	d.report(readyUpdate(l))
	d.tap("Stop")
	d.report(Update{Stage: Done, Finishing: l.Owners})
	d.WantText("Stopped", "node (10) closed the port and is still finishing.")
	if len(d.stopped) != 2 || len(d.stopped[1].Owners) != 1 {
		t.Errorf("got reports %+v, want a finishing process reported as stopped", d.stopped)
	}
}

// At 200 % on a screen of 1280 by 800 pixels, a window has this size.
func TestLongTextsFitNarrowWindow(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) {
			if language == "de" {
				uitest.InGerman(t)
			}
			d, l := newStopDesk(t)
			d.Window.Resize(fyne.NewSize(640, 400))
			for i := range 3 {
				o := l.Owners[0]
				o.PID, o.Name, o.User = 52744+i, "payments-settlement-worker", "postgres-replication"
				o.Command = []string{"/usr/bin/python3", strings.Repeat("a-word-without-spaces", 8), strings.Repeat("word ", 30)}
				l.Owners = append(l.Owners, o)
			}
			l.Owners = l.Owners[1:]
			uitest.Press(d.Window, fyne.KeyDelete)
			u := readyUpdate(l)
			u.Managers = []Manager{{Description: "The process belongs to a manager.", Command: "systemctl --user stop " + strings.Repeat("a-long-name", 6) + ".service", CanRun: true}}
			d.report(u)
			if got, most := d.dialog.body.MinSize().Width, d.dialog.width(); got > most {
				t.Errorf("got a width of %v, want at most %v", got, most)
			}
			if got := d.Overlay(); strings.Contains(got, "payments-settlement-worker…") || !strings.Contains(got, "|payments-settlement-worker|") {
				t.Errorf("got the texts %q, want the whole name of the processes", got)
			}
			if size := d.dialog.popUp.MinSize(); size.Width > 640 || size.Height > 400 {
				t.Errorf("got a dialog of %v, want at most 640 by 400", size)
			}
		})
	}
}
