package stop

import (
	"time"

	"porthole/monitor"
)

// Actions are the requests that the dialog sends to the program. The methods are called
// on Fyne's goroutine and must not block.
type Actions interface {
	Copy(text string) // copies text to the clipboard
	// Stop opens handles of the processes in q, without sending a signal. report is called later, on
	// Fyne's goroutine, for each Update, until Stopping is closed.
	Stop(q Request, report func(Update)) Stopping
}

// Request describes what the user may want to stop.
type Request struct {
	Owners    []monitor.Owner     // the processes, the principal one first
	Listeners []*monitor.Listener // the listeners that they must still hold when they are stopped
	Snapshot  monitor.Snapshot    // the snapshot that is shown, to find what else closes
}

// Stopping is one stop, from confirmation to result. Its methods are called on Fyne's
// goroutine and must not block.
type Stopping interface {
	// Keep excludes processes of a Ready update, which keep running. It must be called
	// before Terminate.
	Keep(owners []monitor.Owner)
	Terminate(children bool)   // sends SIGTERM to the processes; with children, also to their child processes
	ForceQuit()                // sends SIGKILL to those that are still running, also while the grace period lasts
	RunManager(command string) // runs the Command of a Manager with CanRun
	// StartAgain runs what Update.Again says. done is called later, on Fyne's goroutine, with
	// one sentence: what runs now, or why it does not.
	StartAgain(done func(sentence string, failed bool))
	Close() // ends reports, waiting and signals
}

// Stage is the progress of a stop.
type Stage int

// The stages of a stop.
const (
	Ready         Stage = iota // the processes are identified; no signal was sent
	AlreadyExited              // all exited before a signal was sent
	Refused                    // some cannot be stopped; Problems has the reasons
	StillRunning               // those in Update.StillRunning are running after the grace period
	Done                       // all have exited
)

// Update reports the progress of a stop.
type Update struct {
	Stage             Stage
	Targets           []monitor.Owner     // the processes to stop; with Done and StillRunning, those that exited, with their children
	Listeners         []*monitor.Listener // what the targets listen on
	ListeningChildren []Child             // child processes that listen and may also exit
	Children          int                 // number of child processes
	Managers          []Manager           // what manages the targets and may start them again
	StillRunning      []monitor.Owner
	Finishing         []monitor.Owner // with Done, those that closed the port and have not exited yet
	Notes             []string        // with Ready, what else the user must know; a sentence each
	StillOpen         []string        // with Done, what listens on because the user kept it; a sentence each
	InUse             []string        // with Done, what uses the port now; a sentence each
	Problems          []string        // a sentence each
	Again             string          // with Done, what StartAgain runs: a sentence without secrets; "" if it can't

	GracePeriod time.Duration // how long the targets have to exit after SIGTERM
	ForceOnly   bool          // this system can only force quit
}

// Child is a child process of a target, with what it listens on.
type Child struct {
	Owner    monitor.Owner
	Listener *monitor.Listener
}

// Manager is the manager of a process, such as a service manager or a container engine.
type Manager struct {
	Description string // sentence that names what it manages
	Command     string // cleaned shell command that stops the process properly; "" if unknown
	CanRun      bool   // Stopping.RunManager can run Command
}
