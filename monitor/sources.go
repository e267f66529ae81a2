package monitor

import (
	"context"
	"time"
)

// Table is the kernel's table of listening sockets. Except for Wake, its methods
// are called by one goroutine at a time.
type Table interface {
	// Poll returns every listening TCP socket and, with UDP, every UDP socket
	// that is bound and not connected. The slice is valid until the next call and
	// must not be modified. changed is false if the sockets are known to be those
	// of the previous call. An error means that the current state is unknown, not
	// that nothing listens.
	Poll(PollOptions) (sockets []Socket, changed bool, err error)
	// Wait returns after d, after a call of Wake, or when the system reports an
	// event, which the hint names. It appends to closed the IDs of sockets that
	// the kernel reported as destroyed; they need not have been listeners.
	Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint)
	// Wake makes Wait return: the current call or, if there is none, the next
	// one. It is safe for concurrent use.
	Wake()
	// Source returns a short description of the table for people.
	Source() string
}

// PollOptions selects what Table.Poll reads.
type PollOptions struct {
	UDP   bool // UDP sockets too
	Fresh bool // read the table itself: cheaper evidence that nothing changed is not enough
}

// ExitWatcher is implemented by a Table that can wait for processes to exit.
type ExitWatcher interface {
	// WatchExits makes Wait return with the hint OwnerExited when one of these
	// processes exits. The list replaces the previous one. If another process has
	// taken over a PID, that process is watched, so the caller must verify a
	// hint.
	WatchExits(pids []int)
}

// DescriptorWaiter is implemented by a Table that can wait for a descriptor of a
// ProcessSource.
type DescriptorWaiter interface {
	// WaitFor makes Wait return once with the hint Readable when fd is readable. It must
	// be called again after each such hint. fd is always the same. It is called by the
	// goroutine that calls Wait.
	WaitFor(fd int) error
}

// ProcessSource reports the programs that start on this machine, and how processes
// ended. It only adds to what polls find out: it may lose events. Its methods are called
// by the Monitor's goroutine, and none of them waits.
type ProcessSource interface {
	// Descriptor returns the descriptor that becomes readable when a program starts.
	Descriptor() int
	// Started appends the PIDs of the programs that have started since the last call.
	Started(pids []int) []int
	// Running reports whether a process has this PID.
	Running(pid int) bool
	// Watch replaces the processes whose ends will be asked for.
	Watch(owners []Owner)
	// Exit returns how o ended, the zero value if that is not known, and whether o is
	// still running. Unless it is NeverKnown, a later call may know more.
	Exit(o Owner) (Exit, Life)
}

// Life is whether a process is running.
type Life int

// The stages of a life.
const (
	Alive   Life = iota
	Exiting      // it has closed its descriptors and will end any moment
	Ended
	NeverKnown // the system does not tell how it ends
)

// Hint is the reason why Table.Wait returned early. Hints can be combined.
type Hint uint8

// The hints.
const (
	TableChanged Hint = 1 << iota // a socket was closed that may have been a listener
	OwnerExited                   // a process of ExitWatcher.WatchExits exited
	Readable                      // the descriptor of DescriptorWaiter.WaitFor is readable
)

// Finder finds the processes that hold sockets. It is used by one goroutine at
// a time, which need not be the Table's.
type Finder interface {
	// Find searches for the holders of sockets and calls found for each, the
	// likeliest first. It returns early if ctx ends. Finding no holder is not
	// an error. An error means that some processes could not be read this time,
	// so that a socket may have a holder even if none was found.
	Find(ctx context.Context, scope Scope, sockets []Socket, found func(Holding)) error
	// Verify returns those of the holdings that no longer exist, and, with the new
	// Owner, those whose process has executed another program. The holdings of one
	// process must be adjacent.
	Verify(holdings []Holding) (gone, changed []Holding)
	// WhyUnknown returns the reason why no holder of s is visible, and what is
	// known about the possible owner.
	WhyUnknown(s Socket) OwnerUnknown
}

// Enricher adds to owners and sockets what a disk or a name service has to answer
// for. Its methods never wait for an answer: a later call adds what was missing. They
// are called by the Monitor's goroutine.
type Enricher interface {
	Owner(*Owner) Progress
	Socket(*Socket) Progress
	// OnAnswer makes the Enricher call f, on any goroutine, when there may be new
	// answers or when one is late, until the returned function is called.
	OnAnswer(f func()) (stop func())
}

// Progress is how far an Enricher has got.
type Progress int

// The states of progress, the best first.
const (
	Complete Progress = iota
	Pending           // an answer is expected soon
	Late              // something does not answer; the reason is in the fields for it
)

// Scope is the extent of a search by Finder.Find.
type Scope int

// The scopes. Recent and Everywhere expect all listening sockets.
const (
	Likely     Scope = iota // until every socket has a holder, the likeliest processes first
	Recent                  // processes that are new, or whose descriptor count changed since the last search of this scope; may be put off for a minute if no process has started
	Everywhere              // all processes
)

// Holding is the fact that a process holds a socket.
type Holding struct {
	Socket SocketID
	Owner  Owner
	Inode  uint64 // of the socket, for Finder.Verify; 0 if unknown
	FD     int    // the descriptor of the socket; -1 if unknown
}
