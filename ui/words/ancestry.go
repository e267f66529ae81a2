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
		name := titleAlone(p.Title)
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
<<<<<<< HEAD
	return ancestrySentence(why)
}

func ancestrySentence(w ancestry.Explanation) string {
	if service := w.SocketService(); service != "" && w.PerConnection {
		return lang.L("{{.Unit}}: systemd starts {{.Service}} for each connection", map[string]any{"Unit": w.Unit, "Service": service})
	} else if service != "" {
		return lang.L("{{.Unit}}: systemd starts {{.Service}} at the first connection", map[string]any{"Unit": w.Unit, "Service": service})
	}
	switch {
	case w.Publishes == ancestry.SomeContainer:
		return lang.L("Publishes a port of a container")
	case w.Publishes != "":
		return lang.L("Publishes a port of the container {{.Container}}", map[string]any{"Container": strings.TrimPrefix(w.Publishes, "the container ")})
	}
	data := map[string]any{"Unit": w.Unit, "Container": w.Container}
	for name, link := range map[string]*ancestry.Process{"Script": w.Script, "Shell": w.Shell, "Home": w.Session} {
		if link != nil {
			data[name], _ = titleText(link.Title)
		}
	}
	if w.Script != nil {
		data["Script"] = w.Script.Name
	}
	if w.Orphaned {
		return orphanedSentence(w, data)
	}
	sentence := startedByUser(w, data)
	switch {
	case sentence == "":
		return startedByManager(w, data)
	case w.Session == nil && w.Manager != nil && w.Manager.Role != ancestry.System:
		manager, _ := titleText(w.Manager.Title)
		return lang.L("{{.Sentence}}, under {{.Manager}}", map[string]any{"Sentence": sentence, "Manager": manager})
	case w.Session == nil && w.Shell == nil && w.Service() != "":
		return lang.L("{{.Sentence}}, under {{.Manager}}", map[string]any{"Sentence": sentence, "Manager": w.Service()})
	}
	return sentence
}

// startedByUser returns the sentence for a process that a person or a script started;
// "" if neither is known.
func startedByUser(w ancestry.Explanation, data map[string]any) string {
	switch script, shell, home := w.Script != nil, w.Shell != nil, w.Session != nil; {
	case script && shell && home:
		return lang.L("Started by {{.Script}} in {{.Shell}}, in {{.Home}}", data)
	case script && shell:
		return lang.L("Started by {{.Script}} in {{.Shell}}", data)
	case script && home:
		return lang.L("Started by {{.Script}}, in {{.Home}}", data)
	case script:
		return lang.L("Started by {{.Script}}", data)
	case shell && home:
		return lang.L("Started in {{.Shell}}, in {{.Home}}", data)
	case shell:
		return lang.L("Started in {{.Shell}}", data)
	case home:
		return lang.L("Started in {{.Home}}", data)
	}
	return ""
}

// startedByManager returns the sentence for a process that no person started by hand.
func startedByManager(w ancestry.Explanation, data map[string]any) string {
	starter, known := w.Starter()
	data["Script"] = starter.Name
	switch {
	case w.Container != "":
		return lang.L("Runs in the container {{.Container}}", data)
	case w.Service() != "":
		return lang.L("Started by systemd as {{.Unit}}", data)
	case w.Manager != nil && w.Manager.Role != ancestry.System:
		data["Script"], _ = titleText(w.Manager.Title)
		return lang.L("Started by {{.Script}}", data)
	case !known:
		return lang.L("Started by an unknown process")
	case starter.Role == ancestry.System && w.InSession():
		return lang.L("Started in the session {{.Unit}} by a process that has exited", data)
	case starter.Role == ancestry.System:
		data["Manager"], _ = titleText(starter.Title)
		return lang.L("Child of {{.Manager}}: it is a service, or the process that started it has exited", data)
	}
	return lang.L("Started by {{.Script}}", data)
}

// orphanedSentence returns the sentence for a process that outlived its terminal.
func orphanedSentence(w ancestry.Explanation, data map[string]any) string {
	switch {
	case w.Script != nil:
		return lang.L("Orphaned: started by {{.Script}}, whose terminal has closed", data)
	case w.Shell != nil:
		return lang.L("Orphaned: started in {{.Shell}}, which has closed", data)
	case w.Session != nil:
		return lang.L("Orphaned: started in {{.Home}}, which has closed", data)
	}
	return lang.L("Orphaned: the session leader has exited")
=======
	return Sentence(why.Sentence())
>>>>>>> 9ff6fca (ancestry: build each sentence once, for the command line and the window)
}
