package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/monitor"
	"porthole/ui"
)

// Exit statuses of the window process, beside 0.
const (
	ExitNoDisplay = 4  // no display, or it does not answer
	ExitNoGL      = 5  // no OpenGL, or it is broken
	ExitNoWindow  = 6  // this build has none
	ExitRestart   = 10 // start me again: on Wayland nobody can raise a window
)

// Times that the end of a window is given.
const (
	terminateTimeout = 2 * time.Second // between the message, SIGTERM and SIGKILL
	tailSize         = 64 << 10        // of its stderr, kept for the log: the stack of a panic is ten thousand bytes long
)

// windowProcess is the agent's view of the window process. It belongs to hub's
// goroutine.
type windowProcess struct {
	a            *Agent
	cmd          *exec.Cmd
	conn         *ipc.WindowConn
	session      desktop.Session                 // on whose display it is
	state        json.RawMessage                 // as the last window left it
	closingState atomic.Pointer[json.RawMessage] // what the last window said of that, on any goroutine
	pendingPort  uint16                          // to be shown once it is connected
	viewedPage   string                          // that the user looks at; "" while they look elsewhere
	pendingPage  string                          // the page to be shown then
	wasConnected bool                            // it was connected once
	expectExit   bool                            // to end, or it said so: no crash
	terminating  bool                            // it is seen to that it ends
	restart      bool                            // start it once more when it has ended
	ended        chan struct{}
}

func newWindowProcess(a *Agent) *windowProcess {
	return &windowProcess{a: a, session: a.opts.Session}
}

// viewsEvents reports whether the user looks at a page that shows changes as
// they come.
func (w *windowProcess) viewsEvents() bool {
	return w.conn != nil && (w.viewedPage == ui.PagePorts || w.viewedPage == ui.PageHistory)
}

// viewsPorts reports whether the user looks at what listens now: who has a port,
// and who can reach it.
func (w *windowProcess) viewsPorts() bool { return w.conn != nil && w.viewedPage == ui.PagePorts }

// show brings the window to the front, at port where that is not 0; where
// there is none it is started.
func (w *windowProcess) show(port uint16) { w.showAt(port, "") }

// showAt is show, at a page of the window.
func (w *windowProcess) showAt(port uint16, tab string) {
	w.pendingPort, w.pendingPage = port, tab
	switch {
	case w.cmd == nil:
		w.start()
	case w.wasConnected && w.conn == nil: // it hung up and is about to end
		w.restart = true
	case w.terminating, !w.session.SameDisplay(w.a.opts.Session):
		w.restart = true
		w.close()
	case w.conn != nil:
		w.conn.Send(ipc.Message{Kind: ipc.Raise, Port: port, Page: tab})
	}
}

// fyneCache is how long Fyne keeps what is not seen any more, such as what a closed
// window showed. A minute, which it takes itself, adds up where many are opened.
const fyneCache = "15s"

func (w *windowProcess) start() {
	w.session = w.a.opts.Session
	if err := w.session.CheckDisplay(); err != nil {
		w.reportFailure(lang.L("Porthole's window cannot be shown: {{.Why}}", map[string]any{"Why": err.Error()}), err.Error())
		return
	}
	program, err := executablePath()
	if err != nil {
		w.reportFailure(lang.L("Porthole's window could not be started"), err.Error())
		return
	}
	// What must be known before the first of it is painted.
	cmd := exec.Command(program, "window", "--theme="+w.a.settings.Theme, "--language="+w.a.settings.Language)
	cmd.Args[0] = "porthole"
	cmd.Env = append(w.session.Environ(), "FYNE_CACHE="+fyneCache)
	tail := &tailWriter{}
	cmd.Stdout, cmd.Stderr = tail, tail
	setProcessGroup(cmd)
	cmd.WaitDelay = terminateTimeout // for who inherited its stderr and outlives it
	if err := cmd.Start(); err != nil {
		w.reportFailure(lang.L("Porthole's window could not be started"), err.Error())
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

// executablePath is the file that this process runs, even where it was replaced or
// removed since: the window is always of the agent's own build.
func executablePath() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil && runtime.GOOS == "linux" { // elsewhere it is anyone's file
		return self, nil
	}
	return os.Executable()
}

// exited is what the end of the process means.
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
	if err != nil && status != ExitRestart && !w.expectExit {
		w.reportCrash(status, err, tail)
	}
	if (w.restart || status == ExitRestart) && w.a.ctx.Err() == nil {
		w.start()
	}
}

func (w *windowProcess) reportCrash(status int, err error, tail string) {
	sentence := lang.L("Porthole's window ended unexpectedly; watching goes on. Open it again from the tray")
	switch status {
	case ExitNoDisplay:
		sentence = lang.L("Porthole's window cannot be shown: the display does not answer. Watching goes on")
	case ExitNoWindow:
		sentence = lang.L("This build of Porthole has no window. Watching, tray, notifications and the command line work")
	case ExitNoGL:
		sentence = lang.L("Porthole's window cannot be shown: OpenGL does not work here. Watching, tray and notifications go on")
	}
	w.reportFailure(sentence, fmt.Sprintf("%v: %s", err, panicLine(tail)))
	if tail != "" {
		w.a.log.Info("the window's last words", "text", tail)
	}
}

// panicLine is the line of a program's last words that says why it ended: the
// beginning of Go's report of a panic, else the last.
func panicLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return monitor.Clean(line, 200)
		}
	}
	return monitor.Clean(lines[len(lines)-1], 200)
}

// reportFailure says in one line that there is no window, on the desktop and in the log.
func (w *windowProcess) reportFailure(sentence, why string) {
	w.a.log.Error("the window is not shown; watching goes on", "reason", sentence, "problem", why)
	w.a.notes.Notify(notify.Notification{Title: sentence})
}

// handleClosing notes that the process says that it ends, and what it leaves.
func (w *windowProcess) handleClosing() {
	w.takeClosingState()
	w.expectExit = true
	w.terminate()
}

// takeClosingState takes over what the last window left, once.
func (w *windowProcess) takeClosingState() {
	if left := w.closingState.Swap(nil); left != nil && json.Valid(*left) {
		w.state = *left
		w.a.storeWindowState(w.state)
	}
}

// disconnected notes that the connection has gone. A process that goes on without it,
// since it was too slow for us, say, shows what is not live: it is to end.
func (w *windowProcess) disconnected() {
	w.conn, w.viewedPage = nil, ""
	w.terminate()
}

// close asks the process to end, by a message where it listens. It does not wait.
func (w *windowProcess) close() {
	if w.cmd == nil {
		return
	}
	w.expectExit = true
	if w.conn != nil {
		w.conn.Send(ipc.Message{Kind: ipc.Quit})
	} else {
		_ = w.cmd.Process.Signal(syscall.SIGTERM) // it has ended, if this fails
	}
	w.terminate()
}

// terminate sees to it that the process ends: after 2 s it gets SIGTERM, after 2 s
// more SIGKILL.
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
				_ = process.Signal(signal) // it has ended, if this fails
			}
		}
	}()
}

// shutDown closes the window and waits for it: at most 4 s and what the system
// needs to kill it.
func (w *windowProcess) shutDown() {
	if w.cmd == nil {
		return
	}
	w.close()
	<-w.ended
	if w.conn != nil {
		select {
		case <-w.conn.Context.Done(): // its last words were heard by then
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

// tailWriter keeps the end of what is written to it.
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
