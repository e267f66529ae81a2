package stop

import (
	"time"

	"porthole/monitor"
)

// Actions is what the dialog asks of the program. It is called from Fyne's goroutine and must
// not wait.
type Actions interface {
	Copy(text string)
	// Stop takes hold of the processes that q names, and signals none. tell is called on Fyne's goroutine,
	// later and for each StopNews, until Stopping ends.
	Stop(q Request, tell func(Update)) Stopping
}

// Request is whom the user may want to stop.
type Request struct {
	Owners    []monitor.Owner     // the processes that are shown, the principal one first
	Listeners []*monitor.Listener // what they are to hold still when they are stopped
	Snapshot  monitor.Snapshot    // what is shown: it tells what else closes
}

// Stopping is one stop, from the question to its end. Its methods are called from
// Fyne's goroutine and do not wait.
type Stopping interface {
	Terminate(children bool)   // the processes to end, and what runs below them
	ForceQuit()                // those that run on
	RunManager(command string) // runs the Command of one of Update.Managers that can be run
	Close()                    // nothing more is told, waited for or signalled
}

// Stage is how far a stop is.
type Stage int

// The stages of a stop.
const (
	Ready         Stage = iota // the processes are held, and none is signalled
	AlreadyExited              // all ended before they were signalled
	Refused                    // some are not stopped: Problems say why
	StillRunning               // those in Left run on, after all were waited for
	Done                       // all have ended
)

// Update is what became of a stop.
type Update struct {
	Stage             Stage
	Targets           []monitor.Owner     // those that are held; with Done and StopStays, those that ended, children too
	Listeners         []*monitor.Listener // what the victims hold
	ListeningChildren []Child             // who listens and may end with them
	Children          int                 // how many processes run below the victims
	Managers          []Manager           // what runs the victims, and may start them again
	StillRunning      []monitor.Owner
	Finishing         []monitor.Owner // with Done, those that closed the port and have not exited yet
	Notes             []string        // with Ready, what else the user must know, a sentence each
	InUse             []string        // with Done, what holds the port now, a sentence each
	Problems          []string        // a sentence each

	GracePeriod time.Duration // how long they are given to end
	ForceOnly   bool          // this system knows nothing else
}

// Child is a process below a victim that listens.
type Child struct {
	Owner    monitor.Owner
	Listener *monitor.Listener
}

// Manager is a service or an engine of containers.
type Manager struct {
	Description string // that it runs the victim
	Command     string // what stops it properly in a shell; clean; "" if unknown
	CanRun      bool   // Stopping.RunManager can run Command
}
