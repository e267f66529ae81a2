package words

import (
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/ui/uitest"
)

func TestAncestrySentenceAndChain(t *testing.T) {
	zsh, terminal, systemd := monitor.Parent{PID: 4, Name: "zsh", Command: []string{"zsh"}}, monitor.Parent{PID: 2, Name: "gnome-terminal-"}, monitor.Parent{PID: 1, Name: "systemd"}
	npm := monitor.Parent{PID: 5, Name: "npm run dev", Command: []string{"npm run dev"}}
	for _, c := range []struct {
		parents         []monitor.Parent
		unit            string
		sentence, chain string
	}{
		{[]monitor.Parent{npm, zsh, terminal, systemd}, "", "Started by npm run dev in zsh, in GNOME Terminal", "systemd (1, service manager) › GNOME Terminal (2) › zsh (4, shell) › npm run dev (5, script) › node (9)"},
		{[]monitor.Parent{npm, zsh, systemd}, "", "Started by npm run dev in zsh", "systemd (1, service manager) › zsh (4, shell) › npm run dev (5, script) › node (9)"},
		{[]monitor.Parent{zsh, terminal}, "", "Started in zsh, in GNOME Terminal", "GNOME Terminal (2) › zsh (4, shell) › node (9)"},
		{[]monitor.Parent{{PID: 8, Name: "node"}, systemd}, "", "Child of systemd: it is a service, or the process that started it has exited", "systemd (1, service manager) › node (8) › node (9)"},
		{[]monitor.Parent{systemd}, "session-3.scope", "Started in the session session-3.scope by a process that has exited", "systemd (1, service manager) › node (9)"},
		{nil, "gpsd.socket", "gpsd.socket: systemd starts gpsd.service at the first connection", "node (9)"},
		{[]monitor.Parent{npm, systemd}, "api.service", "Started by npm run dev, under api.service", "systemd (1, service manager) › npm run dev (5, script) › node (9)"},
		{[]monitor.Parent{{PID: 3, Name: "pm2"}, systemd}, "pm2-ann.service", "Started by pm2", "systemd (1, service manager) › pm2 (3, supervisor) › node (9)"},
		{[]monitor.Parent{systemd}, "api.service", "Started by systemd as api.service", "systemd (1, service manager) › node (9)"},
		{[]monitor.Parent{systemd}, "", "Child of systemd: it is a service, or the process that started it has exited", "systemd (1, service manager) › node (9)"},
		{[]monitor.Parent{{PID: 3, Name: "a\u202eb\nc"}}, "", "Started by a b c", "a b c (3) › node (9)"},
		{[]monitor.Parent{{PID: 3, Name: "pm2"}, systemd}, "", "Started by pm2", "systemd (1, service manager) › pm2 (3, supervisor) › node (9)"},
		{[]monitor.Parent{npm, {PID: 3, Name: "cron"}, systemd}, "", "Started by npm run dev, under cron", "systemd (1, service manager) › cron (3) › npm run dev (5, script) › node (9)"},
		{[]monitor.Parent{{PID: 1, Name: "own-init"}}, "", "Child of own-init: it is a service, or the process that started it has exited", "own-init (1, service manager) › node (9)"},
		{nil, "", "Started by an unknown process", "node (9)"},
	} {
		l := &monitor.Listener{CgroupInfo: monitor.CgroupInfo{Unit: c.unit}}
		why := ancestry.Explain(monitor.Owner{PID: 9, Name: "node", Parents: c.parents}, l.CgroupInfo, monitor.ProcessState{})
		sentence, chain := Sentence(why.Sentence()), chainText(why, true)
		if sentence != c.sentence || chain != c.chain {
			t.Errorf("got %q, %q, want %q, %q", sentence, chain, c.sentence, c.chain)
		}
		if got := why.Sentence().String(); got != sentence {
			t.Errorf("command line: got %q, want %q as in the window", got, sentence)
		}
	}
}

// Titles of parents that are common words are translated, both inside a sentence and alone.
func TestParentTitlesAreTranslated(t *testing.T) {
	uitest.InGerman(t)
	why := ancestry.Explanation{Session: &ancestry.Process{Title: ancestry.SSHSession}, Shell: &ancestry.Process{Title: "bash"},
		Chain: []ancestry.Process{{PID: 4, Title: ancestry.SSHSession, Role: ancestry.SSH}, {PID: 7, Title: "bash", Role: ancestry.Shell}}}
	if got, want := Ancestry(why, true), "Gestartet in bash, in einer SSH-Sitzung\nSSH-Sitzung (4) › bash (7, Shell)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The window shows the same about another user's service as about a visible one.
func TestUnitSentence(t *testing.T) {
	for unit, want := range map[string]string{
		"nginx.service":   "Started by systemd as nginx.service",
		"gpsd.socket":     "gpsd.socket: systemd starts gpsd.service at the first connection",
		"session-3.scope": "",
		"":                "",
	} {
		if got := UnitSentence(ancestry.Explain(monitor.Owner{}, monitor.CgroupInfo{Unit: unit}, monitor.ProcessState{})); got != want {
			t.Errorf("%q: got %q, want %q", unit, got, want)
		}
	}
}
