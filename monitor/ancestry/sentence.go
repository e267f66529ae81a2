package ancestry

import (
	"slices"
	"strings"

	"porthole/monitor"
)

// The sentences about why a process runs, without a full stop. The user interface looks
// them up in its translations.
const (
	textSocket         = "{{.Unit}}: systemd starts {{.Service}} at the first connection"
	textSocketEach     = "{{.Unit}}: systemd starts {{.Service}} for each connection"
	textPublishes      = "Publishes a port of the container {{.Container}}"
	textPublishesSome  = "Publishes a port of a container"
	textScriptIn       = "Started by {{.Script}} in {{.Shell}}, in {{.Home}}"
	textScriptShell    = "Started by {{.Script}} in {{.Shell}}"
	textScriptHome     = "Started by {{.Script}}, in {{.Home}}"
	textScript         = "Started by {{.Script}}"
	textShellHome      = "Started in {{.Shell}}, in {{.Home}}"
	textShell          = "Started in {{.Shell}}"
	textHome           = "Started in {{.Home}}"
	textUnder          = "{{.Sentence}}, under {{.Manager}}"
	textContainer      = "Runs in the container {{.Container}}"
	textService        = "Started by systemd as {{.Unit}}"
	textUnknown        = "Started by an unknown process"
	textInSession      = "Started in the session {{.Unit}} by a process that has exited"
	textChild          = "Child of {{.Manager}}: it is a service, or the process that started it has exited"
	textOrphanedAgent  = "Orphaned: started by {{.Agent}}, which has ended"
	textOrphanedScript = "Orphaned: started by {{.Script}}, whose terminal has closed"
	textOrphanedShell  = "Orphaned: started in {{.Shell}}, which has closed"
	textOrphanedHome   = "Orphaned: started in {{.Home}}, which has closed"
	textSession        = "the {{.Program}} session {{.Name}}"
	textOrphanedTerm   = "Orphaned: the terminal in which it was started has closed"
	textOrphanedLogin  = "Orphaned: started in the login session {{.Unit}}, which has ended"
	textOrphaned       = "Orphaned: the session leader has exited"
)

// Texts returns the Text of every sentence, the titles that are words rather than names,
// and the labels of the roles, for translators.
func Texts() []string {
	texts := []string{
		textSocket, textSocketEach, textPublishes, textPublishesSome, textScriptIn, textScriptShell, textScriptHome, textScript, textShellHome, textShell, textHome,
		textUnder, textContainer, textService, textUnknown, textInSession, textChild, textOrphanedAgent, textOrphanedScript, textOrphanedShell, textOrphanedHome, textOrphanedTerm, textOrphanedLogin, textSession, textOrphaned,
	}
	for _, role := range []Role{System, Cron, SSH, Terminal, Tmux, Shell, IDE, Agent, Script, Supervisor, Container} {
		texts = append(texts, role.Label())
	}
	return append(texts, wordTitles...)
}

// Sentence returns the explanation as one sentence without a full stop.
func (e Explanation) Sentence() monitor.Sentence {
	data := map[string]any{"Unit": e.Unit, "Container": e.Container, "Service": e.SocketService()}
	for name, p := range map[string]*Process{"Shell": e.Shell, "Home": e.Session, "Agent": e.Agent} {
		if p != nil {
			data[name] = p.title()
		}
	}
	if e.Script != nil {
		data["Script"] = e.Script.Name
	}
	switch {
	case e.SocketService() != "" && e.PerConnection:
		return monitor.Sentence{Text: textSocketEach, Data: data}
	case e.SocketService() != "":
		return monitor.Sentence{Text: textSocket, Data: data}
	case e.Publishes == SomeContainer:
		return monitor.Sentence{Text: textPublishesSome}
	case e.Publishes != "":
		return monitor.Sentence{Text: textPublishes, Data: map[string]any{"Container": strings.TrimPrefix(e.Publishes, "the container ")}}
	case e.Orphaned:
		return monitor.Sentence{Text: e.orphanedText(), Data: data}
	}
	text := e.userText()
	if text == "" {
		return e.managedSentence(data)
	}
	sentence := monitor.Sentence{Text: text, Data: data}
	switch {
	case e.Session == nil && e.Manager != nil && e.Manager.Role != System:
		return monitor.Sentence{Text: textUnder, Data: map[string]any{"Sentence": sentence, "Manager": e.Manager.title()}}
	case e.Session == nil && e.Shell == nil && e.Service() != "":
		return monitor.Sentence{Text: textUnder, Data: map[string]any{"Sentence": sentence, "Manager": e.Service()}}
	}
	return sentence
}

// userText returns the text about a process that a person or a script started; "" if
// neither is known.
func (e Explanation) userText() string {
	switch script, shell, home := e.Script != nil, e.Shell != nil, e.Session != nil; {
	case script && shell && home:
		return textScriptIn
	case script && shell:
		return textScriptShell
	case script && home:
		return textScriptHome
	case script:
		return textScript
	case shell && home:
		return textShellHome
	case shell:
		return textShell
	case home:
		return textHome
	}
	return ""
}

// orphanedText returns the text about a process that outlived its terminal.
func (e Explanation) orphanedText() string {
	switch {
	case e.Agent != nil && e.Agent.Ended:
		return textOrphanedAgent
	case e.LoginEnded:
		return textOrphanedLogin
	case e.Script != nil:
		return textOrphanedScript
	case e.TerminalClosed:
		return textOrphanedTerm
	case e.Shell != nil:
		return textOrphanedShell
	case e.Session != nil:
		return textOrphanedHome
	}
	return textOrphaned
}

// managedSentence is Sentence for a process that no person started. A process whose
// parent is systemd was not necessarily started by it, because orphans are reparented to
// it too.
func (e Explanation) managedSentence(data map[string]any) monitor.Sentence {
	starter, known := e.Starter()
	switch {
	case e.Container != "":
		return monitor.Sentence{Text: textContainer, Data: data}
	case e.Service() != "":
		return monitor.Sentence{Text: textService, Data: data}
	case e.Manager != nil && e.Manager.Role != System:
		return monitor.Sentence{Text: textScript, Data: map[string]any{"Script": e.Manager.title()}}
	case !known:
		return monitor.Sentence{Text: textUnknown}
	case starter.Role == System && e.InSession():
		return monitor.Sentence{Text: textInSession, Data: data}
	case starter.Role == System:
		return monitor.Sentence{Text: textChild, Data: map[string]any{"Manager": starter.title()}}
	}
	return monitor.Sentence{Text: textScript, Data: map[string]any{"Script": starter.Name}}
}

// title returns the title of p for use in a sentence: a Sentence if it can be translated.
func (p Process) title() any {
	if p.Session != "" {
		return monitor.Sentence{Text: textSession, Data: map[string]any{"Program": p.Title, "Name": p.Session}}
	}
	if slices.Contains(wordTitles, p.Title) {
		return monitor.Sentence{Text: p.Title}
	}
	return p.Title
}
