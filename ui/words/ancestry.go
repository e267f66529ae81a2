package words

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor/ancestry"
)

// chainText returns the chain of parents, the oldest first, as it was when the owner was
// first seen. With pids it includes the PID and role of each.
func chainText(why ancestry.Explanation, pids bool) string {
	var names []string
	for _, p := range why.Chain {
		var more []string
		if pids {
			more = append(more, strconv.Itoa(p.PID))
			if role := roleText(p.Role); role != "" && !strings.Contains(strings.ToLower(p.Title), strings.ToLower(role)) {
				more = append(more, role)
			}
		}
		if p.Ended {
			more = append(more, lang.L("exited"))
		}
		name := titleAlone(p.FullTitle())
		if len(more) > 0 {
			name += " (" + strings.Join(more, ", ") + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " › ")
}

// titleAlone returns a parent's title in the user's language, for use outside of a
// sentence. Names are not translated.
func titleAlone(title string) string {
	switch title {
	case ancestry.SSHSession:
		return lang.L("SSH session")
	case ancestry.MoshSession:
		return lang.L("mosh session")
	case ancestry.TextConsole:
		return lang.L("text console")
	case ancestry.CommandPrompt:
		return lang.L("command prompt")
	case ancestry.JetBrainsIDE:
		return lang.L("JetBrains IDE")
	case ancestry.SomeContainer:
		return lang.L("container")
	case ancestry.UserSystemd:
		return lang.L("systemd (user)")
	}
	return title
}

// roleText returns a parent's role; "" if it is not known.
func roleText(r ancestry.Role) string {
	if label := r.Label(); label != "" {
		return lang.L(label)
	}
	return ""
}

// Ancestry returns why a process is running, as far as that is known, and the chain of
// its parents. That it is orphaned is shown as a warning instead.
func Ancestry(why ancestry.Explanation, pids bool) string {
	if why.Orphaned {
		return chainText(why, pids)
	}
	return strings.TrimPrefix(Sentence(why.Sentence())+"\n"+chainText(why, pids), "\n")
}

// UnitSentence returns which service systemd started or waits for, for an owner that is
// unknown: its chain of parents is unknown too. It is "" if there is none.
func UnitSentence(why ancestry.Explanation) string {
	if why.Service()+why.SocketService() == "" {
		return ""
	}
	return Sentence(why.Sentence())
}
