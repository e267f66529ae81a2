package terminal

import (
	"errors"
	"slices"
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

func TestSocketOf(t *testing.T) {
	for value, want := range map[string]string{
		"/tmp/tmux-1000/default,812,0": "/tmp/tmux-1000/default", "/tmp/a,b/socket,812,3": "/tmp/a,b/socket",
		"/tmp/tmux-1000/default,813,0": "", "/tmp/x": "", "": "", ",812,0": "", "812,0": "",
	} {
		if got := socketOf(value, 812); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// Names of sessions may contain spaces.
func TestParseTmux(t *testing.T) {
	panes := parsePanes("/dev/pts/3 $0 @1 %2 my work\n/dev/pts/4 $1 @2 %3 x\nbroken\n")
	if want := []pane{{"/dev/pts/3", "$0", "@1", "%2", "my work"}, {"/dev/pts/4", "$1", "@2", "%3", "x"}}; !slices.Equal(panes, want) {
		t.Errorf("got %v, want %v", panes, want)
	}
	if p, ok := findPane(panes, []string{"/dev/pts/9", "/dev/pts/4"}); !ok || p.id != "%3" {
		t.Errorf("got %v, %v", p, ok)
	}
	if p, ok := findPane(panes, nil); ok {
		t.Errorf("without a terminal: got %v", p)
	}
	clients := parseClients("1700 12 0 $0 /dev/pts/1\n1800 13 0 $1 /dev/pts/2\n1900 14 1 $0 \nbroken\n1750 15 0 $0 /dev/pts/5\n")
	if c, ok := bestClient(clients, "$0"); !ok || c.pid != 15 {
		t.Errorf("got %+v, %v; want the last client of the session", c, ok)
	}
	if c, ok := bestClient(clients, "$7"); !ok || c.pid != 13 {
		t.Errorf("got %+v, %v; want the last client of all", c, ok)
	}
	if c, ok := bestClient(nil, "$0"); ok {
		t.Errorf("got %+v, want none", c)
	}
}

func TestChoose(t *testing.T) {
	list := []Window{{1, 10, "notes - Editor"}, {2, 10, "main.go - Shop - Editor"}, {3, 20, "shell"}, {4, 10, "other - Editor"}, {5, 0, "shop"}}
	for name, test := range map[string]struct {
		pids  []int
		own   uint32
		words []string
		want  uint32 // 0 for none
	}{
		"its only window":         {pids: []int{20}, want: 3},
		"window in WINDOWID":      {pids: []int{10}, own: 1, words: []string{"shop"}, want: 1},
		"WINDOWID of another":     {pids: []int{10}, own: 3, words: []string{"shop"}, want: 2},
		"title with its project":  {pids: []int{10}, words: []string{"", "shop"}, want: 2},
		"part of a word":          {pids: []int{10}, words: []string{"hop"}, want: 4},
		"top window":              {pids: []int{10}, want: 4},
		"parent has the window":   {pids: []int{11, 10}, words: []string{"notes"}, want: 1},
		"program without windows": {pids: []int{30}},
		"no program":              {words: []string{"shop"}},
	} {
		if w, ok := choose(list, test.pids, test.own, test.words...); ok != (test.want != 0) || w.ID != test.want {
			t.Errorf("%s: got %v, %v; want %d", name, w, ok, test.want)
		}
	}
}

// An editor starts its terminals in a child; what started the editor has another window.
func TestPrograms(t *testing.T) {
	parents := []monitor.Parent{{PID: 50, Name: "bash", Command: []string{"bash"}}, {PID: 40, Name: "code", Command: []string{"/usr/share/code/code", "--type=utility"}},
		{PID: 30, Name: "code", Command: []string{"/usr/share/code/code"}}, {PID: 20, Name: "zsh", Command: []string{"zsh"}}, {PID: 10, Name: "xterm", Command: []string{"xterm"}}}
	why := ancestry.Explain(monitor.Owner{PID: 60, Name: "node", Parents: parents}, monitor.CgroupInfo{}, monitor.ProcessState{})
	found, ok := why.Terminal()
	if got := programs(why, found); !ok || !slices.Equal(got, []int{40, 30}) {
		t.Errorf("got %v, %v; want those of the editor", got, ok)
	}
}

func TestSentence(t *testing.T) {
	for want, r := range map[string]Result{
		"Went to the window of xterm": {Program: "xterm"},
		"Selected its pane in the tmux session work and went to the window of xterm":              {Program: "xterm", Session: "work"},
		"Selected its pane in the tmux session work. No window of foot was found on this desktop": {Program: "foot", Session: "work", NotRaised: problem(textNoWindow, data("Program", "foot"), errors.New("x"))},
	} {
		if got := r.Sentence().String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// tmux runs what is between #( and ).
func TestWindowTitle(t *testing.T) {
	for title, want := range map[string]string{"node": "node", "#(rm -rf ~)": "rm-rf", "#{pane_id}": "pane_id", "-t": "t", "Größe\x1b3.1_x": "Größe3.1_x", "": ""} {
		if got := windowTitle(title); got != want {
			t.Errorf("%q: got %q, want %q", title, got, want)
		}
	}
}
