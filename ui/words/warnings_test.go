package words

import (
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/warning"
)

// The window and the command line must have the same English text.
func TestWarningsMatchCommandLine(t *testing.T) {
	for _, why := range []ancestry.Explanation{
		ancestry.Explain(monitor.Owner{PID: 9, Parents: []monitor.Parent{{PID: 4, Name: "zsh"}}}, monitor.CgroupInfo{}, monitor.ProcessState{SessionLeaderEnded: true}),
		ancestry.Explain(monitor.Owner{PID: 9, Parents: []monitor.Parent{{PID: 4, Name: "sshd"}}}, monitor.CgroupInfo{}, monitor.ProcessState{SessionLeaderEnded: true}),
		ancestry.Explain(monitor.Owner{PID: 9, Parents: []monitor.Parent{{PID: 4, Name: "make", Command: []string{"make", "web"}}}}, monitor.CgroupInfo{}, monitor.ProcessState{SessionLeaderEnded: true}),
		ancestry.Explain(monitor.Owner{PID: 9}, monitor.CgroupInfo{}, monitor.ProcessState{SessionLeaderEnded: true}),
	} {
		for _, kind := range []warning.Kind{warning.Orphaned, warning.QueueFull, warning.ProgramReplaced, warning.UntrustedFolder, warning.Preload, warning.RunsAsRoot, warning.Exposed} {
			for _, detail := range []string{"x", "database", "debugger", "admin", "development", "forward"} {
				o := warning.Warning{Kind: kind, Detail: detail}
				if got, want := Sentence(o.Sentence(why)), o.Sentence(why).String(); got != want {
					t.Errorf("got %q, want %q as on the command line", got, want)
				}
			}
		}
	}
}
