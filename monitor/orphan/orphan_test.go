package orphan

import (
	"strings"
	"testing"
	"time"

	"porthole/internal/sample"
	"porthole/monitor"
	"porthole/monitor/ancestry"
)

func TestJudge(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name    string
		parents []string
		ended   []int // PIDs of parents
		owner   monitor.Owner
		cgroup  monitor.CgroupInfo
		state   monitor.ProcessState
		want    Certainty // "" for none
		says    string
	}{
		{name: "its agent has ended", parents: []string{"npm run dev|npm run dev", "zsh|zsh -c npm_run_dev", "claude|claude", "zsh|zsh"}, ended: []int{2}, want: Confirmed, says: "Claude Code"},
		{name: "its agent runs", parents: []string{"npm run dev|npm run dev", "zsh|zsh -c npm_run_dev", "claude|claude", "zsh|zsh"}},
		{name: "its terminal has closed", parents: []string{"zsh|zsh", "kitty|kitty"}, ended: []int{2}, want: Confirmed, says: "which has closed"},
		{name: "the leader of its session has ended", parents: []string{"systemd|/sbin/init"}, state: monitor.ProcessState{SessionLeaderEnded: true}, want: Confirmed},
		{name: "agent in its environment, none runs", parents: []string{"npm run dev|npm run dev", "systemd|/sbin/init"}, owner: monitor.Owner{Agent: "Codex"}, want: Likely, says: "Codex"},
		{name: "agent in its environment, another runs", parents: []string{"systemd|/sbin/init"}, owner: monitor.Owner{Agent: "Codex"}, state: monitor.ProcessState{AgentRunning: 77}, want: Possible, says: "PID 77"},
		{name: "its terminal is gone", parents: []string{"systemd|/sbin/init"}, state: monitor.ProcessState{TerminalClosed: true}, want: Confirmed, says: "terminal"},
		{name: "its terminal is gone, and a script is above it", parents: []string{"npm run dev|npm run dev", "systemd|/sbin/init"}, state: monitor.ProcessState{TerminalClosed: true}, want: Confirmed, says: "npm run dev"},
		{name: "the terminal is gone, what started it runs", parents: []string{"codex|codex", "systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop"}, state: monitor.ProcessState{TerminalClosed: true}},
		{name: "the terminal is gone, in a supervisor", parents: []string{"supervisord|/usr/bin/supervisord", "systemd|/sbin/init"}, state: monitor.ProcessState{TerminalClosed: true}},
		{name: "the terminal is gone, in a unit", parents: []string{"systemd|/sbin/init"}, cgroup: monitor.CgroupInfo{Unit: "shop.service"}, state: monitor.ProcessState{TerminalClosed: true}},
		{name: "the terminal is gone, in a container", parents: []string{"systemd|/sbin/init"}, cgroup: monitor.CgroupInfo{ContainerID: "0123456789ab"}, state: monitor.ProcessState{TerminalClosed: true}},
		{name: "its login has ended", parents: []string{"systemd|/sbin/init"}, cgroup: monitor.CgroupInfo{Unit: "session-3.scope"}, state: monitor.ProcessState{LoginEnded: true}, want: Confirmed, says: "session-3.scope, which has ended"},
		{name: "its login has ended, and tmux runs", parents: []string{"bash|bash", "tmux: server|tmux", "systemd|/sbin/init"}, cgroup: monitor.CgroupInfo{Unit: "session-3.scope"}, state: monitor.ProcessState{LoginEnded: true}},
		{name: "its login has ended, and mosh runs", parents: []string{"bash|bash", "mosh-server|mosh-server", "systemd|/sbin/init"}, cgroup: monitor.CgroupInfo{Unit: "session-3.scope"}, state: monitor.ProcessState{LoginEnded: true}},
		{name: "a job of an ended shell", parents: []string{"systemd|/sbin/init"}, state: monitor.ProcessState{ShellEnded: true}, want: Likely, says: "background job"},
		{name: "a job of an ended shell, in a unit", parents: []string{"systemd|/sbin/init"}, cgroup: monitor.CgroupInfo{Unit: "shop.service"}, state: monitor.ProcessState{ShellEnded: true}},
		{name: "a project", parents: []string{"systemd|/lib/systemd/systemd --user"}, owner: monitor.Owner{Project: "shop"}, want: Possible, says: "shop"},
		{name: "no project", parents: []string{"systemd|/sbin/init"}},
		{name: "a unit", parents: []string{"systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop", Agent: "Codex"}, cgroup: monitor.CgroupInfo{Unit: "shop.service"}},
		{name: "a user's unit", parents: []string{"systemd|/lib/systemd/systemd --user"}, owner: monitor.Owner{Project: "shop"}, cgroup: monitor.CgroupInfo{Unit: "shop.service"}},
		{name: "a supervisor", parents: []string{"supervisord|/usr/bin/supervisord", "bash|bash"}, ended: []int{1}, owner: monitor.Owner{Project: "shop"}},
		{name: "pm2", parents: []string{"PM2 v5.3.0: God|PM2 v5: God Daemon", "systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop"}},
		{name: "cron", parents: []string{"cron|/usr/sbin/cron", "systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop"}},
		{name: "a container", parents: []string{"systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop"}, cgroup: monitor.CgroupInfo{ContainerID: "0123456789ab"}},
		{name: "a socket unit", parents: []string{"systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop"}, cgroup: monitor.CgroupInfo{Unit: "shop.socket"}},
		{name: "a desktop program", parents: []string{"gnome-shell|/usr/bin/gnome-shell", "systemd|/lib/systemd/systemd --user"}, owner: monitor.Owner{Project: "shop"}},
		{name: "in a shell", parents: []string{"bash|bash", "kitty|kitty", "systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop"}},
		{name: "in tmux without a client", parents: []string{"bash|bash", "tmux: server|tmux", "systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop", Agent: "Codex"}},
		{name: "just started", parents: []string{"systemd|/sbin/init"}, owner: monitor.Owner{Project: "shop", StartedAt: now.Add(-time.Second)}},
		{name: "no parents known", owner: monitor.Owner{Project: "shop"}},
	} {
		o := test.owner
		o.PID, o.Name, o.Parents = 99, "node", sample.Parents(test.parents...)
		l := &monitor.Listener{Port: 3000, Owners: []monitor.Owner{o}, CgroupInfo: test.cgroup}
		test.state.EndedParents = map[int]bool{}
		for _, pid := range test.ended {
			test.state.EndedParents[pid] = true
		}
		f, ok := Judge(l, o, ancestry.Explain(o, l.CgroupInfo, test.state), test.state, now)
		if ok != (test.want != "") || f.Certainty != test.want || !strings.Contains(f.Evidence.String(), test.says) {
			t.Errorf("%s: got %q %q, want %q with %q", test.name, f.Certainty, f.Evidence, test.want, test.says)
		}
	}
}

func TestAtLeast(t *testing.T) {
	if !Confirmed.AtLeast(Likely) || !Likely.AtLeast(Likely) || Possible.AtLeast(Likely) || Certainty("x").AtLeast(Possible) {
		t.Error("wrong order")
	}
}
