package words

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/service"
	"porthole/monitor/warning"
)

// Warnings returns the warnings about o, which owns l, each with advice.
func Warnings(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, live monitor.ProcessState) []string {
	var out []string
	for _, w := range warning.Check(l, o, why, live) {
		out = append(out, warningSentence(w, why))
	}
	return out
}

func warningSentence(o warning.Warning, why ancestry.Explanation) string {
	detail := map[string]any{"Detail": o.Detail}
	switch o.Kind {
	case warning.Orphaned:
		return lang.L("{{.Why}}. Stop it if it is no longer needed.", map[string]any{"Why": ancestrySentence(why)})
	case warning.QueueFull:
		return lang.L("The accept queue is full ({{.Detail}}), so new connections fail. The limit is usually net.core.somaxconn. Raise it, or restart the process if this persists.", detail)
	case warning.ProgramReplaced:
		return lang.L("The program file was deleted or replaced after the process started. Restart it to run the current version.")
	case warning.FolderDeleted:
		return lang.L("The working folder was deleted after the process started. Restart it in an existing folder.")
	case warning.UntrustedFolder:
		return lang.L("The program or its script is in {{.Detail}}, a folder for temporary or downloaded files. Check that you trust it.", detail)
	case warning.Preload:
		return lang.L("LD_PRELOAD loads extra code into the process ({{.Detail}}). Check that you trust this library.", detail)
	case warning.RunsAsRoot:
		return lang.L("Runs as root. Use a separate, unprivileged user if possible.")
	case warning.Exposed:
		switch service.Kind(o.Detail) {
		case service.Database:
			return lang.L("This database is exposed to the network. Bind it to 127.0.0.1 or restrict access with a firewall.")
		case service.Debugger:
			return lang.L("This debugger is exposed to the network: any client can run code in it. Bind it to 127.0.0.1.")
		case service.Admin:
			return lang.L("This administration service is exposed to the network. Bind it to 127.0.0.1 or restrict access with a firewall.")
		case service.Development:
			return lang.L("This development server is exposed to the network. Bind it to 127.0.0.1 unless other machines need it.")
		}
		return lang.L("Exposed to the network. Bind it to 127.0.0.1 unless other machines need it.")
	}
	return o.Sentence(why)
}

// AmbiguousWarning returns the warning that "localhost" may lead to one of two processes,
// with advice.
func AmbiguousWarning() string {
	return lang.L("“localhost” is ambiguous: on this port, 127.0.0.1 and [::1] belong to different processes. Use the address, or stop the process that you do not need.")
}
