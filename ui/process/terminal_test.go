package process

import (
	"testing"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// The button is shown for a process with a terminal that can be brought to the front.
func TestGoToTerminal(t *testing.T) {
	for name, test := range map[string]struct {
		parents []string
		raises  bool
		want    bool
	}{
		"xterm":            {[]string{"bash", "xterm"}, true, true},
		"xterm on Wayland": {[]string{"bash", "xterm"}, false, false},
		"tmux on Wayland":  {[]string{"bash", "tmux"}, false, true},
		"service":          {[]string{"systemd"}, true, false},
	} {
		d := newDesk(t)
		d.context.RaisesWindows = test.raises
		l := uitest.Listening(3000, "node", 10)
		for i, parent := range test.parents {
			l.Owners[0].Parents = append(l.Owners[0].Parents, monitor.Parent{PID: 9 - i, Name: parent, Command: []string{parent}})
		}
		d.showSnapshot(l)
		d.OpenProcess(l)
		p := d.processes[Key(l)]
		if got := p.terminal.Visible(); got != test.want {
			t.Errorf("%s: got the button %v, want %v", name, got, test.want)
		}
		if test.want {
			p.terminal.OnTapped()
			d.Want(name, d.Asked, []string{"terminal of 10"})
		}
	}
}
