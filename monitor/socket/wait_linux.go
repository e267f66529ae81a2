package socket

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// waiter waits for a timeout, Wake, the exit of a watched process, or an event of
// the kernel that a socket was destroyed. These events need no privileges and
// arrive within microseconds; there are none for sockets that open.
//
// All four are one descriptor for the runtime's poller, and the timeout is a
// timerfd. Waking a thread is most of what an idle monitor costs, and a runtime
// timer, or a system call that the runtime counts as blocking, would wake more
// threads that watch for blocking calls.
type waiter struct {
	epoll      int             // an epoll(7) of the descriptors below
	epollFile  *os.File        // the same
	conn       syscall.RawConn // waits for it
	poll       func(uintptr) bool
	ready      [8]unix.EpollEvent // readyCount events that ended the wait
	readyCount int
	timer      int // a timerfd
	events     int // the netlink socket of the events; -1 if the kernel denies it
	exits      *exitWatcher
	other      int // the descriptor of WaitFor; -1 before the first call
	buffer     []byte

	udpEvents   bool
	throttled   bool      // events do not end a wait until the end of the window
	windowStart time.Time // start of the current throttleWindow
	wakeups     int       // waits that events have ended in this window

	eventfd int        // written by Wake
	mu      sync.Mutex // protects wakefd, which any goroutine may write to
	wakefd  int        // the same as eventfd; -1 once closed
}

// Any user can cause a storm of events, and each would be a wake-up. After
// maxWakeups within throttleWindow, further events wait for the end of the
// window.
const (
	throttleWindow = 10 * time.Millisecond
	maxWakeups     = 8
)

// throttle enables or disables events for the next wait, and returns how long
// that wait may take.
func (w *waiter) throttle(d time.Duration) time.Duration {
	now := time.Now()
	left := w.windowStart.Add(throttleWindow).Sub(now)
	if left <= 0 {
		w.windowStart, w.wakeups = now, 0
	}
	throttled := w.wakeups >= maxWakeups
	if throttled != w.throttled && w.events >= 0 {
		event := unix.EpollEvent{Fd: int32(w.events)}
		if !throttled {
			event.Events = unix.EPOLLIN
		}
		_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_MOD, w.events, &event) // it is in the set
		w.throttled = throttled
	}
	if throttled {
		return min(d, left)
	}
	return d
}

// eventsBufferBytes is the size of the buffer for datagrams of events.
const eventsBufferBytes = 32 << 10

func newWaiter() (*waiter, error) {
	eventfd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("create an eventfd: %w", err)
	}
	events, err := openEvents()
	if monitor.OutOfResources(err) {
		_ = unix.Close(eventfd) // nothing was written to it
		return nil, err         // temporary: events may be available next time
	}
	if err != nil {
		events = -1 // polling sees the same changes, up to an interval later
	}
	w := &waiter{timer: -1, events: events, other: -1, exits: newExitWatcher(), eventfd: eventfd, wakefd: eventfd, buffer: make([]byte, eventsBufferBytes)}
	if err := w.openEpoll(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// openEpoll combines the descriptors into one.
func (w *waiter) openEpoll() (err error) {
	if w.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return fmt.Errorf("create a timerfd: %w", err)
	}
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create an epoll: %w", err)
	}
	_ = unix.SetNonblock(w.epoll, true) // makes os.NewFile register it with the runtime's poller
	w.epollFile = os.NewFile(uintptr(w.epoll), "epoll")
	for _, fd := range []int{w.timer, w.eventfd, w.events, w.exits.epoll} {
		if fd < 0 {
			continue
		}
		if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return fmt.Errorf("add to the epoll: %w", err)
		}
	}
	if err := w.epollFile.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("register the epoll with the poller: %w", err)
	}
	if w.conn, err = w.epollFile.SyscallConn(); err != nil {
		return fmt.Errorf("wait through the poller: %w", err)
	}
	w.poll = func(epoll uintptr) bool {
		n, _, _ := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&w.ready)), uintptr(len(w.ready)), 0, 0, 0)
		w.readyCount = max(0, min(int(n), len(w.ready)))
		return w.readyCount > 0
	}
	return nil
}

// openEvents subscribes to the events of sockets without a remote port: listeners,
// sockets that were only bound, and sockets that failed to connect. In a storm of
// connections the other events would be most of the cost.
func openEvents() (int, error) {
	fd, err := subscribeDestroyed([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: RemotePortOffset},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jt: 0, Jf: 1},
		PassMessage,
		DropMessage,
	})
	if err != nil {
		return -1, err
	}
	// As large as the system allows: events that find no room are lost, and polls
	// must find the changes instead.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	return fd, nil
}

// setUDPEvents subscribes to the events of UDP sockets, or unsubscribes: every
// DNS query would be one. If the kernel denies it, polls find the same changes.
func (w *waiter) setUDPEvents(on bool) {
	option := unix.NETLINK_DROP_MEMBERSHIP
	if on {
		option = unix.NETLINK_ADD_MEMBERSHIP
	}
	if w.events >= 0 && on != w.udpEvents {
		for _, group := range []int{groupUDPDestroy, groupUDP6Destroy} {
			_ = unix.SetsockoptInt(w.events, unix.SOL_NETLINK, option, group)
		}
	}
	w.udpEvents = on
}

// Wait waits for at most d.
func (w *waiter) Wait(d time.Duration, closed []monitor.SocketID) (_ []monitor.SocketID, hint monitor.Hint) {
	d = max(w.throttle(d), time.Nanosecond) // 0 would disarm the timer
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_, _, _ = unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(w.timer), 0, uintptr(unsafe.Pointer(&at)), 0, 0, 0)
	if err := w.conn.Read(w.poll); err != nil {
		time.Sleep(d) // the waiter is closed
		return closed, 0
	}
	for _, e := range w.ready[:w.readyCount] {
		switch int(e.Fd) {
		case w.eventfd:
			var count [8]byte
			_, _ = unix.Read(w.eventfd, count[:]) // all wake-ups at once
		case w.events:
			closed = w.readEvents(closed)
			w.wakeups++
			hint |= monitor.TableChanged
		case w.exits.epoll:
			if w.exits.reap() {
				hint |= monitor.OwnerExited
			}
		case w.other:
			hint |= monitor.Readable
		}
	}
	return closed, hint
}

// WaitFor implements monitor.DescriptorWaiter.
func (w *waiter) WaitFor(fd int) error {
	operation := unix.EPOLL_CTL_MOD
	if w.other < 0 {
		operation = unix.EPOLL_CTL_ADD
	}
	if err := unix.EpollCtl(w.epoll, operation, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("wait for a descriptor: %w", err)
	}
	w.other = fd
	return nil
}

// WatchExits implements monitor.ExitWatcher.
func (w *waiter) WatchExits(pids []int) { w.exits.watch(pids) }

// readEvents reads all waiting events. If the kernel had to drop some (ENOBUFS),
// the following poll finds the closed sockets.
func (w *waiter) readEvents(closed []monitor.SocketID) []monitor.SocketID {
	for {
		n, err := unix.Read(w.events, w.buffer)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOBUFS) {
			continue
		}
		if err != nil || n <= 0 {
			return closed
		}
		closed = parseEvents(closed, w.buffer[:n])
	}
}

// parseEvents appends the cookies of the destroyed sockets in a datagram.
func parseEvents(closed []monitor.SocketID, b []byte) []monitor.SocketID {
	eachDestroyed(b, func(m DiagMessage) { closed = append(closed, m.Cookie()) })
	return closed
}

// Wake implements monitor.Table. It may be called after Close.
func (w *waiter) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wakefd >= 0 {
		one := [8]byte{1}                   // not zero in either byte order
		_, _ = unix.Write(w.wakefd, one[:]) // a full counter means that a wake-up is pending already
	}
}

func (w *waiter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := unix.Close(w.wakefd)
	w.wakefd = -1
	for _, fd := range []int{w.events, w.timer} {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	if w.epollFile != nil {
		err = errors.Join(err, w.epollFile.Close())
	}
	return errors.Join(err, w.exits.close())
}
