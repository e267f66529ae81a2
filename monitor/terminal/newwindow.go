package terminal

import (
	"context"
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

// TmuxSession is a session of tmux.
type TmuxSession struct {
	Name   string // cleaned
	id     string // "$1"
	server server
}

// TmuxSessionOf returns the session of tmux in which o was started, and false if it was started
// elsewhere, or if the pane has closed. o must be running. state has the parents of o that
// have ended.
func TmuxSessionOf(ctx context.Context, o monitor.Owner, state monitor.ProcessState) (TmuxSession, bool) {
	found, ok := ancestry.Explain(o, monitor.CgroupInfo{}, state).Terminal()
	if !ok || found.Role != ancestry.Tmux {
		return TmuxSession{}, false
	}
	s, err := newServer(o, found.PID)
	if err != nil {
		return TmuxSession{}, false
	}
	out, err := s.run(ctx, "list-panes", "-a", "-F", paneFormat)
	if err != nil {
		return TmuxSession{}, false
	}
	p, ok := findPane(parsePanes(out), terminals(o))
	return TmuxSession{monitor.Clean(p.name, 40), p.session, s}, ok
}

// NewWindow opens a window in the session that runs command, which must have at least two
// words: then no shell reads it (tmux(1)). title is shown in the status line.
func (s TmuxSession) NewWindow(ctx context.Context, title string, command []string) error {
	args := []string{"new-window", "-t", s.id + ":"}
	if title = windowTitle(title); title != "" {
		args = append(args, "-n", title)
	}
	_, err := s.server.run(ctx, slices.Concat(args, []string{"--"}, command)...)
	return err
}

// windowTitle returns title without what tmux would expand: "#(rm -rf ~)" is a command.
func windowTitle(title string) string {
	safe := strings.Map(func(r rune) rune {
		if r < 0x80 && !strings.ContainsRune("-._", r) && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') {
			return -1
		}
		return r
	}, monitor.Clean(title, 30))
	return strings.TrimLeft(safe, "-")
}
