package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/app/paths"
	"porthole/monitor"
	"porthole/ui"
)

// Exit statuses of the window process other than 0.
const (
	ExitNoDisplay = 4 // no display, or it does not respond
	ExitNoGL      = 5 // OpenGL is missing or broken
	ExitNoWindow  = 6 // this build has no window
	ExitRefused   = 7 // the X server does not accept this user's programs
)

const (
	terminateTimeout = 2 * time.Second // between ipc.Quit, SIGTERM and SIGKILL
	tailSize         = 64 << 10        // bytes of the window's stderr kept for the log: the stack of a panic has about 10 kB
)

// windowProcess starts, controls and ends the window process. It belongs to the
// goroutine of loop.
type windowProcess struct {
	a            *Agent
	cmd          *exec.Cmd                       // nil if there is no process
	conn         *ipc.WindowConn                 // nil if it is not connected
	session      desktop.Session                 // the session in which it was started
	state        json.RawMessage                 // state of the last window, for the next one
	closingState atomic.Pointer[json.RawMessage] // state received from a closing window; set on any goroutine
	pendingPort  uint16                          // port to show once it is connected
	pendingToken string                          // activation token for the next process
	viewedPage   string                          // the page the user is looking at; "" if none
	pendingPage  string                          // to show once it is connected
	wasConnected bool                            // it has been connected
	expectExit   bool                            // the exit is not a crash
	terminating  bool                            // terminate was called
	restart      bool                            // start a new process after the exit
	ended        chan struct{}                   // closed after the exit
}

func newWindowProcess(a *Agent) *windowProcess {
	return &windowProcess{a: a, session: a.opts.Session}
}

// viewsEvents reports whether the user is looking at a page that shows events as
// they happen.
func (w *windowProcess) viewsEvents() bool {
	return w.conn != nil && (w.viewedPage == ui.PagePorts || w.viewedPage == ui.PageHistory)
}

// viewsPorts reports whether the user is looking at the Ports page, which shows
// owners and exposures.
func (w *windowProcess) viewsPorts() bool { return w.conn != nil && w.viewedPage == ui.PagePorts }

// show raises the window, or starts it if there is none. It shows port unless 0.
func (w *windowProcess) show(port uint16) { w.open(port, "", "") }

// activate is like show after an action of the user for which the desktop gave an
// activation token; "" if it gave none.
func (w *windowProcess) activate(port uint16, token string) { w.open(port, "", token) }

// open is like activate, and shows page unless "".
func (w *windowProcess) open(port uint16, page, token string) {
	w.pendingPort, w.pendingPage, w.pendingToken = port, page, token
	switch {
	case w.cmd == nil:
		w.start()
	case w.wasConnected && w.conn == nil: // it has disconnected and is about to exit
		w.restart = true
	case w.terminating, !w.session.SameDisplay(w.a.opts.Session):
		w.restart = true
		w.close()
	case w.conn != nil:
		w.conn.Send(ipc.Message{Kind: ipc.Raise, Port: port, Page: page, Token: token})
	}
}

// fyneCache is how long Fyne caches objects that are no longer visible, for example
// those of closed process windows. Its default of one minute uses much memory if
// many windows are opened.
const fyneCache = "15s"

func (w *windowProcess) start() {
	w.session = w.a.opts.Session
	if err := w.session.CheckDisplay(); err != nil {
		w.reportFailure(lang.L("Can't show Porthole's window: {{.Why}}", map[string]any{"Why": err.Error()}), err.Error())
		return
	}
	program, err := paths.Executable()
	if err != nil {
		w.reportFailure(lang.L("Can't start Porthole's window"), err.Error())
		return
	}
	// Flags for what is needed before the first frame.
	cmd := exec.Command(program, "window", "--theme="+w.a.settings.Theme, "--language="+w.a.settings.Language)
	cmd.Args[0] = "porthole"
	cmd.Env = desktop.WithActivationToken(append(w.session.Environ(), "FYNE_CACHE="+fyneCache), w.pendingToken)
	w.pendingToken = "" // it is valid once
	tail := &tailWriter{}
	cmd.Stdout, cmd.Stderr = tail, tail
	setProcessGroup(cmd)
	cmd.WaitDelay = terminateTimeout // for children that inherited its stderr and outlive it
	if err := cmd.Start(); err != nil {
		w.reportFailure(lang.L("Can't start Porthole's window"), err.Error())
		return
	}
	ended := make(chan struct{})
	w.cmd, w.ended = cmd, ended
	w.wasConnected, w.expectExit, w.terminating, w.restart = false, false, false, false
	go func() { // ends with the process
		err := cmd.Wait()
		close(ended)
		w.a.do(func() { w.exited(cmd, err, tail.String()) })
	}()
}

// exited handles the exit of cmd: it reports a crash and restarts the window if requested.
func (w *windowProcess) exited(cmd *exec.Cmd, err error, tail string) {
	if w.cmd != cmd {
		return
	}
	w.cmd, w.conn, w.viewedPage = nil, nil, ""
	var exit *exec.ExitError
	status := 0
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	if err != nil && !w.expectExit {
		w.reportCrash(status, err, tail)
	}
	if w.restart && w.a.ctx.Err() == nil {
		w.start()
	}
}

func (w *windowProcess) reportCrash(status int, err error, tail string) {
	text := lang.L("Porthole's window crashed. Monitoring continues. Open the window again from the tray.")
	switch status {
	case ExitNoDisplay:
		text = lang.L("Can't show Porthole's window: the display does not respond. Monitoring continues.")
	case ExitRefused:
		text = lang.L("Can't show Porthole's window: the X server refuses the connection. Start Porthole from the desktop's menu. Monitoring continues.")
	case ExitNoWindow:
		text = lang.L("This build of Porthole has no window. Monitoring, tray, notifications and the command line work.")
	case ExitNoGL:
		text = lang.L("Can't show Porthole's window: OpenGL does not work on this display. Monitoring continues.")
	}
	w.reportFailure(text, fmt.Sprintf("%v: %s", err, panicLine(tail)))
	if tail != "" {
		w.a.log.Info("output of the window process", "stderr", tail)
	}
}

// panicLine returns the first line of a Go panic or fatal error in a program's
// output, or the last line if there is none.
func panicLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return monitor.Clean(line, 200)
		}
	}
	return monitor.Clean(lines[len(lines)-1], 200)
}

// reportFailure logs and notifies that the window could not be shown. text is a
// translated sentence, reason is for the log.
func (w *windowProcess) reportFailure(text, reason string) {
	w.a.log.Error("can't show the window; monitoring continues", "notification", text, "reason", reason)
	w.a.notifications.Notify(notify.Notification{Title: text})
}

// handleClosing handles the message that the window is closing.
func (w *windowProcess) handleClosing() {
	w.takeClosingState()
	w.expectExit = true
	w.terminate()
}

// takeClosingState saves the state that a closing window has sent, if any.
func (w *windowProcess) takeClosingState() {
	if state := w.closingState.Swap(nil); state != nil {
		w.keep(*state)
	}
}

// keep saves the state of a window for the next one.
func (w *windowProcess) keep(state json.RawMessage) {
	if json.Valid(state) {
		w.state = state
		w.a.storeWindowState(state)
	}
}

// disconnected handles the loss of the connection. A process that keeps running, for
// example because it was too slow, shows stale data, so it is terminated.
func (w *windowProcess) disconnected() {
	w.conn, w.viewedPage = nil, ""
	w.a.forgetShownPorts()
	w.terminate()
}

// close asks the process to exit, and terminates it if it does not exit. It does not
// block.
func (w *windowProcess) close() {
	if w.cmd == nil {
		return
	}
	w.expectExit = true
	if w.conn != nil {
		w.conn.Send(ipc.Message{Kind: ipc.Quit})
	} else {
		_ = w.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has exited
	}
	w.terminate()
}

// terminate makes sure that the process exits: it sends SIGTERM after 2 s and
// SIGKILL after 4 s. It does not block.
func (w *windowProcess) terminate() {
	if w.cmd == nil || w.terminating {
		return
	}
	w.terminating = true
	process, ended := w.cmd.Process, w.ended
	go func() { // ends within 4 s
		for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			select {
			case <-ended:
				return
			case <-time.After(terminateTimeout):
				_ = process.Signal(signal) // fails only if it has exited
			}
		}
	}()
}

// shutDown closes the window and waits for its exit, at most 4 s plus the time that
// the system needs to kill it.
func (w *windowProcess) shutDown() {
	if w.cmd == nil {
		return
	}
	w.close()
	<-w.ended
	if w.conn != nil {
		select {
		case <-w.conn.Context.Done(): // its last messages have been handled by then
		case <-time.After(terminateTimeout):
		}
	}
	w.takeClosingState()
}

func (w *windowProcess) send(m ipc.Message) {
	if w.conn != nil {
		w.conn.Send(m)
	}
}

// tailWriter keeps the last tailSize bytes written to it. It is safe for concurrent use.
type tailWriter struct {
	mu sync.Mutex
	b  []byte
}

func (t *tailWriter) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - tailSize; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tailWriter) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
