package ui

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// stopDesk is a desk with one row selected, and the question about it held.
func stopDesk(t *testing.T) (*desk, *monitor.Listener) {
	t.Helper()
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].StartedAt = d.At.Add(-12 * time.Minute)
	l.Owners[0].Folder = "/home/ada/shop"
	l.Owners[0].Command = []string{"node", "server.js", "--token=hunter2", "it's"}
	d.see(l, uitest.Listening(9229, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.table.Select(l.ID)
	d.ports.table.Focus()
	return d, l
}

// held is what the window's process tells once it holds the victims.
func held(l *monitor.Listener, more ...*monitor.Listener) StopUpdate {
	return StopUpdate{Stage: StopReady, Targets: l.Owners, Listeners: append([]*monitor.Listener{l}, more...), GracePeriod: 10 * time.Second}
}

// says fails the test where the overlay lacks a text.
func (d *desk) says(texts ...string) {
	d.T.Helper()
	said := strings.ReplaceAll(d.Overlay(), "|", " ") // where a sentence goes on in the next line
	for _, text := range texts {
		if !strings.Contains(said, text) {
			d.T.Errorf("the dialog does not say %q: %s", text, said)
		}
	}
}

// focused is what the button with the keyboard says.
func (d *desk) focused() string {
	if b, ok := d.window.Canvas().Focused().(*widgets.Button); ok {
		return b.Text
	}
	return ""
}

// tap presses the dialog's button with that label. (The test driver finds places in
// the window that was made last alone.)
func (d *desk) tap(label string) {
	d.T.Helper()
	for _, o := range d.stopping.buttons.Objects {
		if b, ok := o.(*widgets.Button); ok && b.Text == label {
			b.OnTapped()
			return
		}
	}
	d.T.Fatalf("there is no button %q: %s", label, d.Overlay())
}

func TestDeleteAsksAndEscDoesNothing(t *testing.T) {
	d, l := stopDesk(t)
	uitest.Press(d.window, fyne.KeyDelete)
	uitest.Press(d.window, fyne.KeyDelete) // a key that is held down
	d.Want("asked", d.Asked, []string{"hold 10"})
	child := uitest.Listening(9000, "esbuild", 11)
	news := held(l, d.Last.Listeners[2])
	news.ListeningChildren = []StopChild{{child.Owners[0], child}}
	news.Managers = []StopManager{{"It runs in the unit web.service", "systemctl --user stop web.service"}}
	d.stopNews(news)
	d.says("Stop node?", "PID 10 · user ada · since today 15:41", "127.0.0.1:3000 127.0.0.1:9229", "esbuild (11) · 9000",
		"It runs in the unit web.service", "systemctl --user stop web.service")
	if d.focused() != "Cancel" {
		t.Errorf("the keyboard is on %q; want Cancel", d.focused())
	}
	d.Choose("Copy")
	uitest.Press(d.window, fyne.KeyEscape)
	d.Want("asked", d.Asked, []string{"hold 10", "copy systemctl --user stop web.service", "end"})
	if d.Overlay() != "" || d.stopping != nil {
		t.Error("Esc does not close the dialog")
	}
	d.stopNews(StopUpdate{Stage: StopDone, Targets: l.Owners}) // which came too late
	if d.Overlay() != "" {
		t.Error("the dialog comes back")
	}
	uitest.Press(d.window, fyne.KeyDelete) // the table has the keyboard again
	d.Want("asked again", d.Asked[3:], []string{"hold 10"})
}

func TestStopWaitsThenOffersForce(t *testing.T) {
	d, l := stopDesk(t)
	d.OpenProcess(l)
	uitest.Press(d.window, fyne.KeyDelete)
	news := held(l)
	news.Children = 3
	d.stopNews(news)
	d.says("With its 3 children")
	d.window.Canvas().Focus(d.stopping.children)
	uitest.Press(d.window, fyne.KeyReturn)
	d.window.Canvas().FocusNext() // to Cancel
	d.window.Canvas().FocusNext()
	if d.focused() != "Stop" {
		t.Fatalf("after Cancel Tab comes to %q; want Stop", d.focused())
	}
	uitest.Press(d.window, fyne.KeyReturn)
	d.Want("asked", d.Asked, []string{"hold 10", "stop, children true"})
	d.says("Stopping node (10)…")
	if d.focused() != "Close" {
		t.Errorf("the keyboard is on %q; want Close: nothing is asked twice", d.focused())
	}
	d.At = d.At.Add(4 * time.Second)
	d.Tick()
	if got := d.stopping.bar.share; got < 0.39 || got > 0.41 {
		t.Errorf("after 4 s of 10 the line is at %v", got)
	}
	d.stopNews(StopUpdate{Stage: StopStillRunning, StillRunning: l.Owners})
	d.says("node (10) has not ended", "Force ends it at once")
	if d.focused() != "Leave it" {
		t.Errorf("the keyboard is on %q; want Leave it", d.focused())
	}
	d.tap("Force")
	d.Want("asked", d.Asked[2:], []string{"force"})
	d.stopNews(StopUpdate{Stage: StopDone, Targets: l.Owners})
	d.says("Stopped.", "node (10) has ended.")
	d.tap("Start again")
	d.Want("asked", d.Asked[3:], []string{"copy cd /home/ada/shop && node server.js --token=hunter2 'it'\"'\"'s'"})
	if said := d.Overlay(); strings.Contains(said, "hunter2") {
		t.Errorf("the password is shown: %s", said)
	}
	p := d.processes["10 7"]
	if p.gone.Text != "Ended by force by you, today 15:53:04" || !p.gone.Visible() || p.stopButton.Visible() {
		t.Errorf("the process window says %q, offers to stop it: %t", p.gone.Text, p.stopButton.Visible())
	}
	d.see(d.Last.Listeners[1])
	if !strings.HasPrefix(p.gone.Text, "Ended by force by you") {
		t.Errorf("after its ports closed the process window says %q", p.gone.Text)
	}
}

func TestWhatIsNotStoppedIsSaid(t *testing.T) {
	for stage, want := range map[StopStage][]string{
		StopRefused:       {"Not stopped", "node (10) is not stopped: it is Porthole itself."},
		StopAlreadyExited: {"It has ended already", "Nothing was signalled."},
	} {
		d, l := stopDesk(t)
		uitest.Press(d.window, fyne.KeyDelete)
		d.stopNews(held(l))
		d.stopNews(StopUpdate{Stage: stage, Problems: []string{"node (10) is not stopped: it is Porthole itself."}})
		d.says(want[0], want[1])
		if d.focused() != "Close" || strings.Contains(d.Overlay(), "Start again") {
			t.Errorf("stage %d: the keyboard is on %q", stage, d.focused())
		}
		uitest.Press(d.window, fyne.KeyReturn)
		d.Want("asked", d.Asked, []string{"hold 10", "end"})
	}
}

func TestAllOwnersOfAPortAreNamed(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	for pid := 11; pid < 15; pid++ {
		l.Owners = append(l.Owners, monitor.Owner{PID: pid, Start: 7, Name: "worker\x1b[31m"})
	}
	d.see(l)
	if got := d.ports.table.Rows()[0].pid; got != "10 +4" {
		t.Errorf("the row says PID %q; want 10 and four more", got)
	}
	d.ports.table.Select(l.ID)
	d.ports.table.Focus()
	uitest.Press(d.window, fyne.KeyDelete)
	d.Want("asked", d.Asked, []string{"hold 10", "hold 11", "hold 12", "hold 13", "hold 14"})
	d.stopNews(held(l))
	d.says("Stop 5 processes?", "PID 10 · user ada", "PID 14")
	p := d.stopping.popUp
	if middle := p.Position().Y + p.Size().Height/2; middle < 299 || middle > 301 {
		t.Errorf("in a window of 600 the dialog's middle is at %v", middle)
	}
	if strings.Contains(d.Overlay(), "\x1b") {
		t.Error("it shows a name as it is")
	}
	d.tap("Stop")
	d.says("Stopping 5 processes…", "node (10), worker [31m (11), worker [31m (12) and 2 more")
}

// Where nobody can be stopped nothing offers to.
func TestStopIsAbsentWhereItMakesNoSense(t *testing.T) {
	d := newDesk(t)
	hidden, first, mine := uitest.Listening(22, "", 0, "0.0.0.0"), uitest.Listening(80, "systemd", 1), uitest.Listening(3000, "node", 10)
	d.see(hidden, first, mine)
	for _, c := range []struct {
		l    *monitor.Listener
		can  bool
		says string
	}{
		{hidden, false, "Who has 22 cannot be seen, and so not be stopped from here"},
		{first, false, "systemd is not stopped: without it the machine stops"},
		{mine, true, ""},
	} {
		d.Asked, d.ports.notice = nil, ""
		d.ports.table.Select(c.l.ID)
		d.ports.table.Focus()
		if got := d.ports.details.stop.Visible(); got != c.can {
			t.Errorf("%d: the side pane offers it: %t", c.l.Port, got)
		}
		uitest.Press(d.window, desktop.KeyMenu)
		if got := strings.Contains(d.Overlay(), "Stop…   (Del)"); got != c.can {
			t.Errorf("%d: the menu says %q", c.l.Port, d.Overlay())
		}
		uitest.Press(d.window, fyne.KeyEscape)
		d.OpenProcess(c.l)
		p := d.processes[processKey(c.l)]
		if got := p.stopButton.Visible(); got != c.can {
			t.Errorf("%d: the process window offers it: %t", c.l.Port, got)
		}
		p.window.Close()
		uitest.Press(d.window, fyne.KeyDelete)
		if d.ports.notice != c.says || (d.stopping != nil) != c.can {
			t.Errorf("%d: Delete says %q, asks %q", c.l.Port, d.ports.notice, d.Asked)
		}
	}
	uitest.Press(d.window, fyne.KeyEscape)
	d.Disconnect()
	d.ports.details.stop.OnTapped()
	if d.stopping != nil {
		t.Error("it can be stopped where nobody watches")
	}
}

func TestTheProcessWindowStopsItsProcessAndItsClosingEndsTheWait(t *testing.T) {
	d, l := stopDesk(t)
	shared := uitest.Listening(9229, "node", 10)
	shared.Owners = append(shared.Owners, monitor.Owner{PID: 12, Start: 7, Name: "worker"})
	d.see(l, shared)
	d.OpenProcess(l)
	p := d.processes["10 7"]
	p.stopButton.OnTapped()
	d.Want("asked", d.Asked, []string{"hold 10", "hold 12"})
	uitest.Press(d.window, fyne.KeyDelete) // in the other window meanwhile
	d.Want("asked", d.Asked, []string{"hold 10", "hold 12"})
	d.stopNews(held(l))
	d.stopping.terminate()
	p.window.Close()
	d.Want("asked", d.Asked[2:], []string{"stop, children false", "end"})
	if d.stopping != nil {
		t.Error("the dialog is kept")
	}
}

func TestDeleteOnOtherPagesStopsNothing(t *testing.T) {
	d, _ := stopDesk(t)
	for _, page := range []string{PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		d.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDelete})
		if d.stopping != nil {
			t.Fatalf("Delete on %s asks to stop", page)
		}
	}
}

// What is copied means to a shell the words that the process was started with.
func TestTheCommandThatStartsItAgain(t *testing.T) {
	command := []string{"printf", `%s\0`, "plain", "", "two words", "it's", `$(id) "x" \`, "a\nb\t\x1b[201~c", "ä\u202eö", "\xff\xfe7", "x=1", "~", "*", "-n"}
	o := monitor.Owner{Command: command, Folder: "/tmp"}
	line := restartCommand(o)
	if strings.ContainsFunc(line, unprintable) {
		t.Errorf("%q holds what a terminal would obey", line)
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
		{monitor.Owner{Command: []string{"A=1"}, Folder: "/a b"}, "cd '/a b' && 'A=1'"},
	} {
		if got := restartCommand(c.o); got != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}

func TestTheMenuOfARowAndTheSidePaneAskToo(t *testing.T) {
	d, l := stopDesk(t)
	uitest.Press(d.window, desktop.KeyMenu)
	d.Choose("Stop…   (Del)")
	d.stopNews(held(l))
	d.says("Stop node?")
	uitest.Press(d.window, fyne.KeyEscape)
	test.Tap(d.ports.details.stop)
	d.stopNews(held(l))
	d.says("Stop node?")
	uitest.Press(d.window, fyne.KeyEscape)
	d.Want("asked", d.Asked, []string{"hold 10", "end", "hold 10", "end"})
	uitest.Press(d.window, fyne.KeyDelete) // the table has the keyboard
	d.Want("asked at last", d.Asked[4:], []string{"hold 10"})
}
