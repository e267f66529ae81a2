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
		return lang.L("{{.Why}}. Stop it if it is no longer needed.", map[string]any{"Why": ancestrySentence(why)})
	case warning.QueueFull:
		return lang.L("The accept queue is full ({{.Detail}}), so new connections fail. Restart the process if this persists.", detail)
	case warning.ProgramReplaced:
		return lang.L("The program file was deleted or replaced after the process started. Restart it to run the current version.")
	case warning.FolderDeleted:
		return lang.L("The working folder was deleted after the process started. Restart it in an existing folder.")
	case warning.UntrustedFolder:
		return lang.L("The program is in {{.Detail}}, a folder for temporary or downloaded files. Check that you trust it.", detail)
	case warning.Preload:
		return lang.L("LD_PRELOAD loads extra code into the process ({{.Detail}}). Check that you trust this library.", detail)
	case warning.RunsAsRoot:
		return lang.L("Runs as root. Use a separate, unprivileged user if possible.")
	case warning.Exposed:
		return lang.L("Exposed to the network. Bind it to 127.0.0.1 unless other machines need it.")
	}
	return o.Sentence(why)
}

// AmbiguousWarning say that "localhost" leads to one process or to another, and what to
// do.
func AmbiguousWarning() string {
	return lang.L("“localhost” is ambiguous: on this port, 127.0.0.1 and [::1] belong to different processes. Use the address, or stop the process that you do not need.")
}
