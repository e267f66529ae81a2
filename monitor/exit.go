package monitor

import "slices"

// Exit is how a process ended. The zero value means that it is unknown.
type Exit struct {
	Status      *int   `json:"exit_status,omitempty"`   // nil if a signal ended the process
	Signal      string `json:"signal,omitempty"`        // name of the signal that ended the process, such as SIGKILL
	CoreDumped  bool   `json:"core_dumped,omitempty"`   // the kernel wrote a core dump
	OutOfMemory bool   `json:"out_of_memory,omitempty"` // the kernel killed it because memory ran out
}

// ExitStatus returns the Exit of a process that ended with a status.
func ExitStatus(status int) Exit { return Exit{Status: &status} }

// Known reports whether it is known how the process ended.
func (e Exit) Known() bool { return e.Status != nil || e.Signal != "" }

// cleanSignals end a process that someone asked to end, and cleanStatuses are what
// programs return that handle such a signal: 128 and its number. Both are what
// systemd.service(5) calls a clean exit; the statuses are those of shells, and 143 that
// of Java.
var (
	cleanSignals  = []string{"SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"}
	cleanStatuses = []int{0, 128 + 1, 128 + 2, 128 + 15}
)

// Crashed reports whether the process is known to have failed: a status other than 0, or
// a signal that does not ask to end.
func (e Exit) Crashed() bool {
	if e.Status != nil {
		return !slices.Contains(cleanStatuses, *e.Status)
	}
	return e.Signal != "" && !slices.Contains(cleanSignals, e.Signal)
}

// Crashed reports whether e says that a listener closed because its owner failed, and not
// because the user stopped it.
func (e Event) Crashed() bool { return e.Kind == Closed && e.Stopped == "" && e.Exit.Crashed() }

// The texts of Exit.Sentence.
const (
	exitedNormally    = "exited normally"
	exitedWithStatus  = "exited with status {{.Status}}"
	killed            = "was killed by {{.Signal}}"
	killedCoreDumped  = "was killed by {{.Signal}} (core dumped)"
	killedOutOfMemory = "was killed by {{.Signal}}: out of memory"
)

// ExitTexts returns the texts of all sentences of Exit.
func ExitTexts() []string {
	return []string{exitedNormally, exitedWithStatus, killed, killedCoreDumped, killedOutOfMemory}
}

// Sentence says how the process ended, to follow its name: "exited with status 1". It is
// the zero value if that is unknown.
func (e Exit) Sentence() Sentence {
	data := map[string]any{"Signal": Clean(e.Signal, 32)}
	switch {
	case e.Status != nil && *e.Status == 0:
		return Sentence{Text: exitedNormally}
	case e.Status != nil:
		return Sentence{Text: exitedWithStatus, Data: map[string]any{"Status": *e.Status}}
	case e.Signal == "":
		return Sentence{}
	case e.OutOfMemory:
		return Sentence{Text: killedOutOfMemory, Data: data}
	case e.CoreDumped:
		return Sentence{Text: killedCoreDumped, Data: data}
	}
	return Sentence{Text: killed, Data: data}
}
