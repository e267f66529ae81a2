package monitor

import (
	"path/filepath"
	"strings"
	"time"
)

// ProcessState is the current state of a process, in addition to what was read when it
// was first seen. Unknown fields are empty.
type ProcessState struct {
	Ended        bool         // the process has ended
	EndedParents map[int]bool // the PIDs of its parents that have ended
	// SessionLeaderEnded is set if the leader of its session, usually its shell,
	// has ended while the process still has a descriptor of the terminal.
	SessionLeaderEnded bool
	// ShellEnded is set if it is a background job of a shell that has ended, such as
	// one started with nohup. It is not set for daemons that double-fork: their
	// process group is that of their session.
	ShellEnded bool
	// TerminalClosed is set if one of its standard streams is a pseudo terminal that no
	// longer exists.
	TerminalClosed bool
	// LoginEnded is set if it runs in the scope of a login that has ended: systemd-logind
	// waits for the processes that are left.
	LoginEnded bool
	// AgentRunning is the PID of a running coding agent of the kind in Owner.Agent, which
	// need not be the one that started the process; 0 if none runs.
	AgentRunning   int
	Suspended      bool   // by SIGSTOP or Ctrl+Z
	Paused         bool   // its control group is frozen, as that of a paused container
	RunsAsRoot     bool   // its effective user is root, regardless of who started it
	ProgramDeleted bool   // its program file was deleted or replaced
	FolderDeleted  bool   // its working directory was deleted
	Preload        string // its LD_PRELOAD; "" if it has none or is not readable
	QueueFull      bool   // one of its accept queues is full
	QueueLength    uint32 // the length of that queue
	QueueLimit     uint32 // the limit of that queue
	Resources      Resources
	Firewall       Firewall // of one of its listeners
}

// Resources is the resource usage of a process; a field is zero if it is unknown.
type Resources struct {
	Threads int
	Memory  uint64        // resident set size in bytes, including shared memory
	CPU     time.Duration // CPU time on all cores since the process started
}

// ProgramName returns the base name of o's program, or, if that is not readable,
// its process name, which the process can choose.
func (o Owner) ProgramName() string {
	if o.Program != "" {
		return filepath.Base(o.Program)
	}
	return o.Name
}

// IsSSHMaster reports whether o is a control master of ssh in the background, which calls
// itself "ssh: PATH [mux]" (mux.c of OpenSSH): it forwards what its clients ask for.
func IsSSHMaster(o Owner) bool {
	return len(o.Command) > 0 && o.ProgramName() == "ssh" && strings.HasSuffix(Bound(o.Command[0]), " [mux]")
}

// IsSSHSession reports whether a process title is that of sshd for a login, as
// opposed to the daemon: "sshd: ann@pts/0", "sshd-session: ann@notty"; "sshd:
// /usr/sbin/sshd -D [listener] 0 of 10-100 startups".
func IsSSHSession(title string) bool {
	title = Bound(title)
	rest, ok := strings.CutPrefix(title, "sshd: ")
	if !ok {
		rest, ok = strings.CutPrefix(title, "sshd-session: ")
	}
	return ok && rest != "" && rest[0] != '/' && !strings.Contains(rest, "[listener]")
}
