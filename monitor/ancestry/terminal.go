package ancestry

import "slices"

// inTerminal are editors that run in a terminal: the window is that of a parent.
var inTerminal = []string{"Vim", "Neovim"}

// Terminal returns the program with a window in which the process was started: a terminal
// emulator or an editor, or tmux, which has windows of its own. It returns false if there is
// none, if it has closed, if it is on another machine (SSH), or if something nearer, such as a
// supervisor, has started the process.
func (e Explanation) Terminal() (Process, bool) {
	if e.Orphaned || len(e.Chain) == 0 {
		return Process{}, false
	}
	for i := len(e.Chain) - 2; i >= 0; i-- { // nearest first
		switch p := e.Chain[i]; p.Role {
		case System, Cron, SSH, Supervisor, Container:
			return Process{}, false
		case Tmux:
			return p, p.Title == TmuxTitle && !p.Ended
		case Terminal:
			return p, p.Title != TextConsole && !p.Ended
		case IDE:
			if !slices.Contains(inTerminal, p.Title) {
				return p, !p.Ended
			}
		}
	}
	return Process{}, false
}
