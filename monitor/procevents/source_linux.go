package procevents

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// Source implements monitor.ProcessSource. If the state is not Available it reports no
// starts, and only the exits that a pidfd tells. Except for State, Reason and Lost its methods are called by one goroutine at a
// time.
//
// Starts and exits have a socket each: a storm of the former, which are only hints, cannot
// push out the latter.
type Source struct {
	state  State
	reason string
	starts *subscription // nil unless the state is Available
	exits  *subscription
	ring   [maxExits]exit // the latest exits
	next   int            // index in ring
	memory *memory
	pidfds *pidfds
	// clocks returns the time of CLOCK_MONOTONIC, and of CLOCK_BOOTTIME, which goes on
	// while the machine is suspended.
	clocks func() (monotonic, boot time.Duration)
}

// exit is the exit of a process.
type exit struct {
	pid        int
	waitStatus uint32
	at         uint64 // nanoseconds of CLOCK_MONOTONIC
}

// maxExits is more than can end with an error between the end of a process and the
// search for its exit.
const maxExits = 512

// exitAge is how long an exit is kept. A close is noticed at the next poll at the latest,
// and the PID of a process that ended well, which has no event, can be taken again.
const exitAge = 5 * time.Second

// Open requests the events and probes them, which takes up to 100 ms. The caller closes
// the source, whatever its state is.
func Open() *Source {
	s := &Source{memory: newMemory(), pidfds: newPidfds(), clocks: clocks}
	var err error
	s.starts, s.exits, err = openSockets()
	s.state, s.reason = stateOf(err)
	return s
}

// openSockets opens both sockets.
func openSockets() (starts, exits *subscription, err error) {
	if starts, err = subscribe(); err != nil {
		return nil, nil, err
	}
	if err = starts.probe(); err == nil {
		err = starts.request(listen, eventExec)
	}
	if err == nil {
		exits, err = subscribe()
	}
	if err != nil {
		return nil, nil, errors.Join(err, starts.close())
	}
	// As large as the system allows: exits that find no room are lost.
	_ = unix.SetsockoptInt(exits.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	if err = exits.onlyProcesses(); err == nil {
		err = exits.request(listen, eventFailedExit)
	}
	if err != nil {
		return nil, nil, errors.Join(err, starts.close(), exits.close())
	}
	return starts, exits, nil
}

// State returns whether there are events.
func (s *Source) State() State { return s.state }

// Reason returns why there are no events; "" if the state is Available.
func (s *Source) Reason() string { return s.reason }

// TellsExits reports whether it is known how processes end, be it only of those whose
// parents wait for them.
func (s *Source) TellsExits() bool { return s.state == Available || s.pidfds.supported }

// Lost returns how often the kernel had to drop events since Open because they were not
// read in time.
func (s *Source) Lost() (starts, exits uint64) {
	if s.starts == nil {
		return 0, 0
	}
	return s.starts.lost, s.exits.lost
}

// Close closes the source.
func (s *Source) Close() error {
	err := s.pidfds.close()
	if s.starts == nil {
		return err
	}
	return errors.Join(err, s.starts.close(), s.exits.close())
}

// Descriptor implements monitor.ProcessSource. It is -1 unless the state is Available.
func (s *Source) Descriptor() int {
	if s.starts == nil {
		return -1
	}
	return s.starts.fd
}

// Started implements monitor.ProcessSource.
func (s *Source) Started(pids []int) []int {
	if s.starts == nil {
		return pids
	}
	s.starts.each(func(m message) {
		if m.what == eventExec {
			pids = append(pids, m.tgid)
		}
	})
	s.readExits()
	s.memory.refresh(time.Now())
	return pids
}

// readExits reads the waiting exits. If the kernel had to drop some (ENOBUFS), how these
// processes ended stays unknown.
func (s *Source) readExits() {
	s.exits.each(func(m message) {
		if m.what == eventExit && m.pid == m.tgid {
			s.ring[s.next%maxExits] = exit{m.tgid, m.waitStatus, m.at}
			s.next++
		}
	})
}

// Running implements monitor.ProcessSource.
func (s *Source) Running(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }

// Watch implements monitor.ProcessSource.
func (s *Source) Watch(owners []monitor.Owner) {
	now := time.Now()
	s.memory.watch(owners, now)
	s.pidfds.watch(owners, now)
}

// Exit implements monitor.ProcessSource.
func (s *Source) Exit(o monitor.Owner) (monitor.Exit, monitor.Life) {
	if o.Start == 0 || s.exits == nil && !s.pidfds.has(o) {
		return monitor.Exit{}, monitor.NeverKnown
	}
	life := lifeOf(o) // before the exit is read, which is known after the end
	if status, ok := s.pidfds.waitStatus(o); ok {
		return s.decode(status, o), monitor.Ended
	}
	if s.exits != nil {
		s.readExits()
		if e, ok := s.find(o); ok {
			return s.decode(e.waitStatus, o), monitor.Ended
		}
	}
	return monitor.Exit{}, life
}

// find returns the first exit of o's PID after o has started.
func (s *Source) find(o monitor.Owner) (exit, bool) {
	monotonic, boot := s.clocks()
	started := int64(o.Start)*int64(tick) - int64(boot-monotonic)
	for i := range min(s.next, maxExits) {
		e := s.ring[(max(s.next-maxExits, 0)+i)%maxExits]
		if e.pid == o.PID && int64(e.at) >= started && int64(e.at) >= int64(monotonic-exitAge) {
			return e, true
		}
	}
	return exit{}, false
}

// tick is the unit of monitor.Owner.Start: USER_HZ is 100 on every architecture that Go
// runs on.
const tick = 10 * time.Millisecond

func clocks() (monotonic, boot time.Duration) {
	return clock(unix.CLOCK_MONOTONIC), clock(unix.CLOCK_BOOTTIME)
}

func clock(id int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0 // every kernel has both clocks
	}
	return time.Duration(t.Nano())
}

// decode returns how o ended.
func (s *Source) decode(waitStatus uint32, o monitor.Owner) monitor.Exit {
	w := syscall.WaitStatus(waitStatus)
	if w.Exited() {
		return monitor.ExitStatus(w.ExitStatus())
	}
	out := monitor.Exit{Signal: unix.SignalName(w.Signal()), CoreDumped: w.CoreDump()}
	if out.Signal == "" { // a real-time signal
		out.Signal = fmt.Sprintf("signal %d", int(w.Signal()))
	}
	out.OutOfMemory = w.Signal() == unix.SIGKILL && s.memory.killed(o, time.Now())
	return out
}

// exiting is PF_EXITING of linux/sched.h, in the flags of /proc/PID/stat.
const exiting = 0x4

// lifeOf returns whether o is still running. A thread may still run after the main one
// has ended: that counts as Ended, because the main one has sent its event.
func lifeOf(o monitor.Owner) monitor.Life {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(o.PID) + "/stat")
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if err != nil || len(fields) < 20 || string(fields[19]) != strconv.FormatUint(o.Start, 10) {
		return monitor.Ended // or another process has its PID
	}
	if state := string(fields[0]); state == "Z" || state == "X" {
		return monitor.Ended
	}
	if flags, err := strconv.ParseUint(string(fields[6]), 10, 64); err == nil && flags&exiting != 0 {
		return monitor.Exiting
	}
	return monitor.Alive
}
