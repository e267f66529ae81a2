// Package orphan finds orphaned servers: what started them has ended, and
// nothing manages them. It is pure.
package orphan

import (
	"time"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

// Certainty is how sure it is that a server is orphaned.
type Certainty string

// The certainties, the surest first.
const (
	Confirmed Certainty = "confirmed" // its terminal, shell, login or coding agent has ended
	Likely    Certainty = "likely"    // its shell has ended, or the coding agent that its environment names no longer runs
	Possible  Certainty = "possible"  // the process that started it has ended, which may be intended
)

// Certainties are all of them, the surest first.
var Certainties = []Certainty{Confirmed, Likely, Possible}

// AtLeast reports whether c is as sure as other.
func (c Certainty) AtLeast(other Certainty) bool {
	for _, k := range Certainties {
		if k == c {
			return true
		}
		if k == other {
			return false
		}
	}
	return false
}

// Label returns c in English for display.
func (c Certainty) Label() string { return string(c) }

// Finding is the judgement about one process.
type Finding struct {
	Certainty Certainty
	Evidence  monitor.Sentence // one sentence with a full stop
}

// startTime is how long a process must have been running: one that is just being started
// may be between two parents.
const startTime = 5 * time.Second

// The sentences of the evidence, for translators.
const (
	textConfirmed  = "{{.Why}}."
	textAgentEnded = "Started by {{.Agent}}, which is no longer among its parents. No {{.Agent}} that is older than this process is running."
	textAgentRuns  = "Started by {{.Agent}}, which is no longer among its parents. {{.Agent}} is still running (PID {{.PID}}), so this may be its background job."
	textShell      = "It is a background job of a shell that has ended, and no service manages it."
	textParent     = "The process that started it has exited, and no service manages it. It works in the project {{.Project}}."
)

// Texts returns the sentences, for translators.
func Texts() []string { return []string{textAgentEnded, textAgentRuns, textShell, textParent} }

// Judge judges o, the owner of l; false means that it is not orphaned, or that this
// can't be told. why and state are what is known of o now. What systemd, a supervisor,
// cron or a container engine runs is never orphaned.
func Judge(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, state monitor.ProcessState, now time.Time) (Finding, bool) {
	if o.PID == 0 || state.Ended || isManaged(l, why) || !o.StartedAt.IsZero() && now.Sub(o.StartedAt) < startTime {
		return Finding{}, false
	}
	data := map[string]any{"Agent": o.Agent, "PID": state.AgentRunning, "Project": monitor.Clean(o.Project, 60)}
	switch {
	case why.Orphaned:
		return Finding{Confirmed, monitor.Sentence{Text: textConfirmed, Data: map[string]any{"Why": why.Sentence()}}}, true
	case !why.Reparented():
		return Finding{}, false
	case o.Agent != "" && state.AgentRunning == 0:
		return Finding{Likely, monitor.Sentence{Text: textAgentEnded, Data: data}}, true
	case o.Agent != "":
		return Finding{Possible, monitor.Sentence{Text: textAgentRuns, Data: data}}, true
	case state.ShellEnded:
		return Finding{Likely, monitor.Sentence{Text: textShell}}, true
	case o.Project != "":
		return Finding{Possible, monitor.Sentence{Text: textParent, Data: data}}, true
	}
	return Finding{}, false
}

// isManaged reports whether a manager runs the process on purpose.
func isManaged(l *monitor.Listener, why ancestry.Explanation) bool {
	return l.Container != nil || l.ContainerID != "" || why.Container != "" || why.Publishes != "" ||
		why.Service() != "" || why.SocketService() != "" || why.Manager != nil && why.Manager.Role != ancestry.System
}
