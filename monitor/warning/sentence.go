package warning

import (
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/service"
)

// The warnings, each with advice. The user interface looks them up in its translations.
const (
	textSuspended       = "Suspended (SIGSTOP or Ctrl+Z), so it answers no client. To resume it: fg in its terminal, or kill -CONT {{.Detail}}."
	textPaused          = "Its container or control group is paused, so it answers no client until that is resumed."
	textOrphaned        = "{{.Why}}. Stop it if it is no longer needed."
	textQueueFull       = "The accept queue is full ({{.Detail}}), so new connections fail. The limit is usually net.core.somaxconn. Raise it, or restart the process if this persists."
	textProgramReplaced = "The program file was deleted or replaced after the process started. Restart it to run the current version."
	textFolderDeleted   = "The working folder was deleted after the process started. Restart it in an existing folder."
	textUntrustedFolder = "The program or its script is in {{.Detail}}, a folder for temporary or downloaded files. Check that you trust it."
	textPreload         = "LD_PRELOAD loads extra code into the process ({{.Detail}}). Check that you trust this library."
	textRunsAsRoot      = "Runs as root. Use a separate, unprivileged user if possible."
	textPublic          = "Everybody on the internet can connect through {{.Detail}}, and this service is not made for that. End the tunnel unless you need it."
	textAmbiguousName   = "“localhost” is ambiguous: on this port, 127.0.0.1 and [::1] belong to different processes. Use the address, or stop the process that you do not need."
	textExposed         = "Exposed to the network. Bind it to 127.0.0.1 unless other machines need it."
	textDatabase        = "This database is exposed to the network. Bind it to 127.0.0.1 or restrict access with a firewall."
	textDebugger        = "This debugger is exposed to the network: any client can run code in it. Bind it to 127.0.0.1."
	textAdmin           = "This administration service is exposed to the network. Bind it to 127.0.0.1 or restrict access with a firewall."
	textDevelopment     = "This development server is exposed to the network. Bind it to 127.0.0.1 unless other machines need it."
)

// Texts returns the Text of every warning, for translators.
func Texts() []string {
	return []string{
		textSuspended, textPaused, textOrphaned, textQueueFull, textProgramReplaced, textFolderDeleted, textUntrustedFolder, textPreload, textRunsAsRoot, textAmbiguousName,
		textPublic, textExposed, textDatabase, textDebugger, textAdmin, textDevelopment,
	}
}

// Sentence returns the warning with advice. why explains its process.
func (w Warning) Sentence(why ancestry.Explanation) monitor.Sentence {
	text := string(w.Kind)
	switch w.Kind {
	case Orphaned:
		return monitor.Sentence{Text: textOrphaned, Data: map[string]any{"Why": why.Sentence()}}
	case Suspended:
		text = textSuspended
	case Paused:
		text = textPaused
	case QueueFull:
		text = textQueueFull
	case ProgramReplaced:
		text = textProgramReplaced
	case FolderDeleted:
		text = textFolderDeleted
	case UntrustedFolder:
		text = textUntrustedFolder
	case Preload:
		text = textPreload
	case RunsAsRoot:
		text = textRunsAsRoot
	case Public:
		text = textPublic
	case AmbiguousName:
		text = textAmbiguousName
	case Exposed:
		text = exposedText(service.Kind(w.Detail))
	}
	return monitor.Sentence{Text: text, Data: map[string]any{"Detail": w.Detail}}
}

func exposedText(kind service.Kind) string {
	switch kind {
	case service.Database:
		return textDatabase
	case service.Debugger:
		return textDebugger
	case service.Admin:
		return textAdmin
	case service.Development:
		return textDevelopment
	}
	return textExposed
}
