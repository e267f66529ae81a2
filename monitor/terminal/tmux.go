package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
)

// tmuxTime limits a command of tmux. It needs milliseconds.
const tmuxTime = 2 * time.Second

// server is a tmux server of the user.
type server struct{ socket string }

// newServer returns the tmux server with that PID, in which o was started. Its socket is in the
// variable TMUX of every process that was started in it: "/tmp/tmux-1000/default,812,0" (tmux(1)).
func newServer(o monitor.Owner, pid int) (server, error) {
	socket := socketOf(process.Variables(o.PID, "TMUX")["TMUX"], pid)
	for i := 0; socket == "" && i < len(o.Parents) && o.Parents[i].PID != pid; i++ {
		socket = socketOf(process.Variables(o.Parents[i].PID, "TMUX")["TMUX"], pid)
	}
	if socket == "" {
		return server{}, problem(textNoSocket, nil, nil)
	}
	if !isOwn(socket) {
		return server{}, problem(textForeignTmux, nil, nil)
	}
	return server{socket}, nil
}

// socketOf returns the path of the socket in a value of TMUX; "" if it is that of another server.
func socketOf(value string, pid int) string {
	end := strings.LastIndexByte(value, ',')
	if end < 0 {
		return ""
	}
	socket, server, ok := cutLast(value[:end], ',')
	if !ok || server != strconv.Itoa(pid) {
		return ""
	}
	return socket
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// run runs a command of tmux and returns its output.
func (s server) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tmuxTime)
	defer cancel()
	c := exec.CommandContext(ctx, "tmux", append([]string{"-S", s.socket}, args...)...)
	c.WaitDelay = time.Second
	out, err := c.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			err = fmt.Errorf("%w: %s", err, monitor.Clean(string(exit.Stderr), 200))
		}
		return "", fmt.Errorf("run tmux %s: %w", args[0], err)
	}
	return string(out), nil
}

// pane is a pane of tmux. IDs are unique in a server: $1, @2, %3.
type pane struct{ tty, session, window, id, name string }

// The formats of list-panes and list-clients. Names may contain spaces, so they come last.
const (
	paneFormat   = "#{pane_tty} #{session_id} #{window_id} #{pane_id} #{session_name}"
	clientFormat = "#{client_activity} #{client_pid} #{client_control_mode} #{session_id} #{client_tty}"
)

func parsePanes(out string) (panes []pane) {
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		if len(f) == 5 {
			panes = append(panes, pane{f[0], f[1], f[2], f[3], f[4]})
		}
	}
	return panes
}

// client is a terminal that is attached to a session.
type client struct {
	activity     int64 // seconds since 1970
	pid          int
	session, tty string
}

// parseClients returns the clients in the output of list-clients, without those that have no
// terminal (control mode).
func parseClients(out string) (clients []client) {
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		if len(f) != 5 || f[2] == "1" {
			continue
		}
		activity, err := strconv.ParseInt(f[0], 10, 64)
		pid, pidErr := strconv.Atoi(f[1])
		if err == nil && pidErr == nil {
			clients = append(clients, client{activity, pid, f[3], f[4]})
		}
	}
	return clients
}

// bestClient returns the client that was used last, preferring those that show session.
func bestClient(clients []client, session string) (client, bool) {
	if len(clients) == 0 {
		return client{}, false
	}
	return slices.MaxFunc(clients, func(a, b client) int {
		if (a.session == session) != (b.session == session) {
			if a.session == session {
				return 1
			}
			return -1
		}
		return int(a.activity - b.activity)
	}), true
}

// selectPane selects the pane with the terminal of o or of its nearest parent that has one, and
// makes a client show it. It returns the PID of the client and the cleaned name of the session.
func (s server) selectPane(ctx context.Context, o monitor.Owner) (pid int, session string, _ error) {
	out, err := s.run(ctx, "list-panes", "-a", "-F", paneFormat)
	if err != nil {
		return 0, "", problem(textNoTmux, nil, err)
	}
	p, ok := findPane(parsePanes(out), terminals(o))
	if !ok {
		return 0, "", problem(textNoPane, nil, nil)
	}
	name := monitor.Clean(p.name, 40)
	if _, err := s.run(ctx, "select-window", "-t", p.session+":"+p.window, ";", "select-pane", "-t", p.id); err != nil {
		return 0, "", problem(textNoPane, nil, err)
	}
	out, err = s.run(ctx, "list-clients", "-F", clientFormat)
	if err != nil {
		return 0, "", problem(textNoTmux, nil, err)
	}
	c, ok := bestClient(parseClients(out), p.session)
	if !ok {
		return 0, "", problem(textDetached, map[string]any{"Session": name, "Command": s.attachCommand(p)}, nil)
	}
	if c.session != p.session {
		if _, err := s.run(ctx, "switch-client", "-c", c.tty, "-t", p.session); err != nil {
			return 0, "", problem(textNoTmux, nil, err)
		}
	}
	return c.pid, name, nil
}

// attachCommand returns the command that attaches the session of p, for a shell.
func (s server) attachCommand(p pane) string {
	command := []string{"tmux"}
	if s.socket != fmt.Sprintf("/tmp/tmux-%d/default", os.Getuid()) {
		command = append(command, "-S", s.socket)
	}
	return monitor.Clean(monitor.ShellCommand(append(command, "attach", "-t", p.name)), 200)
}

// terminals returns the pseudo terminals of o and of its parents, nearest first.
func terminals(o monitor.Owner) []string {
	ttys := []string{process.PseudoTerminal(o.PID)}
	for _, p := range o.Parents {
		if process.IsAlive(p.PID, p.Start) {
			ttys = append(ttys, process.PseudoTerminal(p.PID))
		}
	}
	return slices.DeleteFunc(ttys, func(tty string) bool { return tty == "" })
}

// findPane returns the pane with the first of ttys that has one.
func findPane(panes []pane, ttys []string) (pane, bool) {
	for _, tty := range ttys {
		if i := slices.IndexFunc(panes, func(p pane) bool { return p.tty == tty }); i >= 0 {
			return panes[i], true
		}
	}
	return pane{}, false
}
