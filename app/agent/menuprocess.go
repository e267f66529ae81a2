package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"porthole/app/desktop"
	"porthole/app/paths"
)

// menuTimeout is how long a menu stays open that nobody uses.
const menuTimeout = 5 * time.Minute

// menuProcess shows the tray's menu in a process of its own, for panels that show no menus. It
// belongs to the goroutine of loop.
type menuProcess struct {
	a       *Agent
	program func() (string, error) // returns the path of the program
	cancel  func()                 // ends the process; nil if there is none
}

func newMenuProcess(a *Agent) *menuProcess { return &menuProcess{a: a, program: paths.Executable} }

// show opens the menu, or closes it if it is open, like a second click on a panel's menu.
// The arguments are those of tray.Actions.ShowMenu.
func (m *menuProcess) show(entries []string, x, y int, token string) {
	if m.cancel != nil {
		m.cancel()
		return
	}
	text, err := json.Marshal(entries)
	if err != nil {
		m.a.log.Error("can't show the tray's menu", "error", err)
		return
	}
	program, err := m.program()
	if err != nil {
		m.a.log.Error("can't show the tray's menu", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(m.a.ctx, menuTimeout)
	cmd := exec.CommandContext(ctx, program, "menu", "--theme="+m.a.settings.Theme, "--language="+m.a.settings.Language,
		fmt.Sprintf("--x=%d", x), fmt.Sprintf("--y=%d", y))
	cmd.Args[0] = "porthole"
	cmd.Env = desktop.WithActivationToken(append(m.a.opts.Session.Environ(), "FYNE_CACHE="+fyneCache), token)
	tail := &tailWriter{}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), tail
	setProcessGroup(cmd)
	m.cancel = cancel
	go func() { // ends with the process
		out, err := cmd.Output()
		closed := ctx.Err() != nil
		cancel()
		m.a.do(func() { m.exited(string(out), err, closed, tail.String()) })
	}()
}

// exited handles the end of the process: it does what the user chose. closed: the agent ended it.
func (m *menuProcess) exited(chosen string, err error, closed bool, tail string) {
	m.cancel = nil
	if err != nil && !closed {
		m.a.log.Warn("the tray's menu ended with an error", "error", err, "stderr", panicLine(tail))
		m.a.window.show(0) // the window has everything that the menu has
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(chosen)); err == nil && m.a.tray != nil {
		go m.a.tray.Choose(n, "") // its actions send to this goroutine, which may be full
	}
}
