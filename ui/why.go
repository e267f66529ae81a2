package ui

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor/story"
)

// chainWords is the chain of parents, the oldest first, as it was when the owner
// was first seen; with pids also what each of them is.
func chainWords(why story.Why, pids bool) string {
	var names []string
	for _, p := range why.Chain {
		var more []string
		if pids {
			more = append(more, strconv.Itoa(p.PID))
			if role := roleWords(p.Role); role != "" && !strings.Contains(strings.ToLower(p.Title), strings.ToLower(role)) {
				more = append(more, role)
			}
		}
		if p.Ended {
			more = append(more, lang.L("ended"))
		}
		_, name := titleWords(p.Title)
		if len(more) > 0 {
			name += " (" + strings.Join(more, ", ") + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " › ")
}

// titleWords is a parent's title in the user's language: as it stands behind
// "Started in", and alone, in the chain. Names stay as they are.
func titleWords(title string) (place, alone string) {
	switch title {
	case story.SSHSession:
		return lang.L("an SSH session"), lang.L("SSH session")
	case story.MoshSession:
		return lang.L("a mosh session"), lang.L("mosh session")
	case story.TextConsole:
		return lang.L("a text console"), lang.L("text console")
	case story.CommandPrompt:
		return lang.L("the command prompt"), lang.L("command prompt")
	case story.JetBrainsIDE:
		return lang.L("a JetBrains IDE"), lang.L("JetBrains IDE")
	case story.SomeContainer:
		return lang.L("a container"), lang.L("container")
	case story.UserSystemd:
		title = lang.L("systemd of the user")
	}
	return title, title
}

// roleWords says what a parent is; "" where nothing is known of it.
func roleWords(r story.Role) string {
	switch r {
	case story.System:
		return lang.L("first process")
	case story.Cron:
		return lang.L("cron")
	case story.SSH:
		return lang.L("ssh")
	case story.Terminal:
		return lang.L("terminal")
	case story.Tmux:
		return lang.L("outlives its terminal")
	case story.Shell:
		return lang.L("shell")
	case story.IDE:
		return lang.L("IDE")
	case story.Script:
		return lang.L("script")
	case story.Supervisor:
		return lang.L("supervisor")
	case story.Container:
		return lang.L("container's runtime")
	}
	return ""
}

// whyText says why a process runs, as far as that is known, and the chain below.
// That it was left behind is said as something odd instead.
func whyText(why story.Why, pids bool) string {
	if why.LeftBehind {
		return chainWords(why, pids)
	}
	return strings.TrimPrefix(whySentence(why)+"\n"+chainWords(why, pids), "\n")
}

func whySentence(w story.Why) string {
	data := map[string]any{"Unit": w.Unit, "Container": w.Container}
	for name, link := range map[string]*story.Link{"Script": w.Script, "Shell": w.Shell, "Home": w.Home} {
		if link != nil {
			data[name], _ = titleWords(link.Title)
		}
	}
	if w.Script != nil {
		data["Script"] = w.Script.Name
	}
	if w.LeftBehind {
		return leftBehindSentence(w, data)
	}
	sentence := byHand(w, data)
	switch {
	case sentence == "":
		return managedSentence(w, data)
	case w.Home == nil && w.Manager != nil && w.Manager.Role != story.System:
		manager, _ := titleWords(w.Manager.Title)
		return lang.L("{{.Sentence}}, under {{.Manager}}", map[string]any{"Sentence": sentence, "Manager": manager})
	}
	return sentence
}

// byHand is for what a person started, or a script; "" where none is known.
func byHand(w story.Why, data map[string]any) string {
	switch script, shell, home := w.Script != nil, w.Shell != nil, w.Home != nil; {
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

// managedSentence is for what no person started by hand.
func managedSentence(w story.Why, data map[string]any) string {
	parent := story.Link{}
	if len(w.Chain) > 1 {
		parent = w.Chain[len(w.Chain)-2]
	}
	data["Script"] = parent.Name
	switch {
	case w.Container != "":
		return lang.L("It runs in the container {{.Container}}", data)
	case strings.HasSuffix(w.Unit, ".service"):
		return lang.L("Started by systemd as {{.Unit}}", data)
	case w.Manager == nil && len(w.Chain) < 2:
		return lang.L("What started it is not known")
	case w.Manager == nil:
		return lang.L("Started by {{.Script}}", data)
	}
	data["Manager"], _ = titleWords(w.Manager.Title)
	switch {
	case w.Manager.Role == story.System && w.Manager.PID == parent.PID:
		return lang.L("A child of {{.Manager}}: a service, or what started it has ended", data)
	case w.Manager.Role == story.System:
		return lang.L("Started by {{.Script}}", data)
	}
	data["Script"] = data["Manager"]
	return lang.L("Started by {{.Script}}", data)
}

// leftBehindSentence is for what outlived its terminal.
func leftBehindSentence(w story.Why, data map[string]any) string {
	switch {
	case w.Script != nil:
		return lang.L("Started by {{.Script}}, whose terminal has closed: it was left behind", data)
	case w.Shell != nil:
		return lang.L("Started in {{.Shell}}, which has closed: it was left behind", data)
	case w.Home != nil:
		return lang.L("Started in {{.Home}}, which has closed: it was left behind", data)
	}
	return lang.L("The leader of its session has ended: it was left behind by its terminal")
}
