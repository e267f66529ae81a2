package ui

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/story"
)

// whyRuns says in one sentence why o runs, "" where that is not known, and gives
// the chain of its parents, the oldest first, as it was when o was first seen.
func whyRuns(l *monitor.Listener, o monitor.Owner, pids bool) (sentence, chain string) {
	why := story.WhyRuns(o, l.Origin, story.Live{})
	var names []string
	for _, p := range why.Chain {
		name := p.Name
		if pids {
			name += " (" + strconv.Itoa(p.PID) + ")"
		}
		names = append(names, name)
	}
	return whySentence(why), strings.Join(names, " › ")
}

func whySentence(w story.Why) string {
	data := map[string]any{"Unit": w.Unit, "Container": w.Container}
	for name, link := range map[string]*story.Link{"Script": w.Script, "Shell": w.Shell, "Home": w.Home} {
		if link != nil {
			data[name] = link.Title
		}
	}
	if w.Script != nil {
		data["Script"] = w.Script.Name
	}
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
	case w.Container != "":
		return lang.L("It runs in the container {{.Container}}", data)
	case strings.HasSuffix(w.Unit, ".service"):
		return lang.L("Started by systemd as {{.Unit}}", data)
	}
	return ""
}
