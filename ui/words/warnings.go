package words

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/warning"
)

// Warnings say what is odd about o, which has l, each with what to do.
func Warnings(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, live monitor.ProcessState) []string {
	var out []string
	for _, odd := range warning.Check(l, o, why, live) {
		out = append(out, warningSentence(odd, why))
	}
	return out
}

func warningSentence(o warning.Warning, why ancestry.Explanation) string {
	detail := map[string]any{"Detail": o.Detail}
	switch o.Kind {
	case warning.Orphaned:
		return lang.L("{{.Why}}. Stop it if it is not needed any more.", map[string]any{"Why": ancestrySentence(why)})
	case warning.QueueFull:
		return lang.L("Its accept queue is full ({{.Detail}}), so nobody gets in. Start it again if that lasts.", detail)
	case warning.ProgramReplaced:
		return lang.L("Its program file was deleted or replaced since it started. Start it again to run what is there now.")
	case warning.FolderDeleted:
		return lang.L("Its folder was deleted since it started. Start it again in one that is there.")
	case warning.UntrustedFolder:
		return lang.L("Its program is in {{.Detail}}, where files come from elsewhere. Make sure that you know it.", detail)
	case warning.Preload:
		return lang.L("LD_PRELOAD puts other code into it ({{.Detail}}). Make sure that you know that library.", detail)
	case warning.RunsAsRoot:
		return lang.L("It runs as root. Run it as a user of its own where that is possible.")
	case warning.Exposed:
		return lang.L("The network can reach it. Bind it to 127.0.0.1 unless others are to use it.")
	}
	return o.Sentence(why)
}

// AmbiguousWarning say that "localhost" leads to one process or to another, and what to
// do.
func AmbiguousWarning() string {
	return lang.L("“localhost” is ambiguous: 127.0.0.1 and [::1] of this port belong to different processes. Use the address, or stop the one that you do not need.")
}
