package ancestry

import (
	"strings"
	"testing"

	"porthole/monitor"
)

func TestTerminal(t *testing.T) {
	for name, test := range map[string]struct {
		parents []string // names, nearest first; with "ended " before it if it has ended
		want    string   // title; "" for none
	}{
		"xterm":                        {[]string{"bash", "xterm", "systemd"}, "xterm"},
		"script in a terminal":         {[]string{"make", "zsh", "gnome-terminal-server"}, "GNOME Terminal"},
		"tmux before its terminal":     {[]string{"bash", "tmux", "systemd"}, "tmux"},
		"screen":                       {[]string{"bash", "screen", "xterm"}, ""},
		"editor":                       {[]string{"bash", "code", "code", "systemd"}, "VS Code"},
		"editor in a terminal":         {[]string{"bash", "nvim", "bash", "kitty"}, "kitty"},
		"SSH":                          {[]string{"bash", "sshd-session", "sshd"}, ""},
		"tmux in SSH":                  {[]string{"bash", "tmux", "sshd"}, "tmux"},
		"text console":                 {[]string{"bash", "login", "systemd"}, ""},
		"supervisor in a terminal":     {[]string{"supervisord", "bash", "xterm"}, ""},
		"service":                      {[]string{"systemd"}, ""},
		"terminal that closed":         {[]string{"ended bash", "ended xterm"}, ""},
		"shell that ended in tmux":     {[]string{"ended bash", "tmux"}, ""},
		"script that ended":            {[]string{"ended make", "bash", "xterm"}, "xterm"},
		"unknown terminal":             {[]string{"bash", "my-terminal"}, ""},
		"nothing known of its parents": {nil, ""},
	} {
		o := monitor.Owner{PID: 99, Name: "node"}
		state := monitor.ProcessState{EndedParents: map[int]bool{}}
		for i, parent := range test.parents {
			if ended, ok := strings.CutPrefix(parent, "ended "); ok {
				parent = ended
				state.EndedParents[50-i] = true
			}
			o.Parents = append(o.Parents, monitor.Parent{PID: 50 - i, Name: parent, Command: []string{parent}})
		}
		p, ok := Explain(o, monitor.CgroupInfo{}, state).Terminal()
		if ok != (test.want != "") || ok && p.Title != test.want {
			t.Errorf("%s: got %q, %v; want %q", name, p.Title, ok, test.want)
		}
	}
}
