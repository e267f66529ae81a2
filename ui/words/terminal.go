package words

import "porthole/monitor/ancestry"

// HasTerminal reports whether a process was started in a terminal or editor that can be brought to
// the front. raisesWindows means that the desktop lets Porthole raise windows; panes of tmux need
// no window.
func HasTerminal(why ancestry.Explanation, raisesWindows bool) bool {
	p, ok := why.Terminal()
	return ok && (raisesWindows || p.Role == ancestry.Tmux)
}
