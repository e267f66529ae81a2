package socket

import (
	"encoding/binary"
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

// waiter sleeps until a time, Wake, the end of a process that holds something, or
// the kernel's word that a socket was destroyed. That word needs no privilege
// and comes within microseconds; there is none for an opening.
//
// All four are one descriptor for the runtime's poller, and the time is a
// timerfd: to wake one thread is most of what an idle monitor costs, and a timer
// of the runtime's, or a system call that it counts as blocking, would wake
// others to keep watch.
type waiter struct {
	epoll      int             // an epoll(7) of the descriptors below
	epollFile  *os.File        // the same
	conn       syscall.RawConn // waits for it
	poll       func(uintptr) bool
	ready      [8]unix.EpollEvent // what ended the wait, so many:
	readyCount int
	timer      int // a timerfd
	events     int // the netlink socket of the events, -1 where the kernel refuses them
	exits      *exitWatcher
	buffer     []byte

	udpEvents   bool
	throttled   bool      // to events, for a moment
	windowStart time.Time // when the present stretch of calm began
	wakeups     int       // how often events have ended a wait since

	eventfd int        // an eventfd
	mu      sync.Mutex // over wake, which anyone may write to
	wakefd  int        // the same, -1 once closed
}

// In a storm of events, which anyone can make, each would be a wake-up: after so
// many within a stretch the next ones wait for its end.
const (
	throttleWindow = 10 * time.Millisecond
	maxWakeups     = 8
)

// throttle lets events end the next wait, or not, and returns how long that is at
// the most.
func (w *waiter) throttle(d time.Duration) time.Duration {
	now := time.Now()
	left := w.windowStart.Add(throttleWindow).Sub(now)
	if left <= 0 {
		w.windowStart, w.wakeups = now, 0
	}
	deaf := w.wakeups >= maxWakeups
	if deaf != w.throttled && w.events >= 0 {
		event := unix.EpollEvent{Fd: int32(w.events)}
		if !deaf {
			event.Events = unix.EPOLLIN
		}
		_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_MOD, w.events, &event) // it is in the set
		w.throttled = deaf
	}
	if deaf {
		return min(d, left)
	}
	return d
}

// Groups and numbers of linux/sock_diag.h and linux/filter.h.
const (
	groupTCPDestroy   = 1  // SKNLGRP_INET_TCP_DESTROY
	groupUDPDestroy   = 2  // SKNLGRP_INET_UDP_DESTROY
	groupTCP6Destroy  = 3  // SKNLGRP_INET6_TCP_DESTROY
	groupUDP6Destroy  = 4  // SKNLGRP_INET6_UDP_DESTROY
	sockDiagByFamily  = 20 // SOCK_DIAG_BY_FAMILY, the kind of an event
	remotePortOffset  = headerSize + 6
	wholeMessage      = 0xffff
	eventsBufferBytes = 32 << 10
)

func newWaiter() (*waiter, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	events, err := openEvents()
	if outOfResources(err) {
		_ = unix.Close(wake) // nothing was written to it
		return nil, err      // no refusal: it is to be had another time
	}
	if err != nil {
		events = -1 // polling sees the same, up to an interval later
	}
	w := &waiter{timer: -1, events: events, exits: newExitWatcher(), eventfd: wake, wakefd: wake, buffer: make([]byte, eventsBufferBytes)}
	if err := w.openEpoll(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// openEpoll makes the descriptors one.
func (w *waiter) openEpoll() (err error) {
	if w.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return fmt.Errorf("make a timerfd: %w", err)
	}
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("make an epoll: %w", err)
	}
	_ = unix.SetNonblock(w.epoll, true) // so that os.NewFile hands it to the runtime's poller
	w.epollFile = os.NewFile(uintptr(w.epoll), "what ends a wait")
	for _, fd := range []int{w.timer, w.eventfd, w.events, w.exits.epoll} {
		if fd < 0 {
			continue
		}
		if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return fmt.Errorf("join what ends a wait: %w", err)
		}
	}
	if err := w.epollFile.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("hand what ends a wait to the poller: %w", err)
	}
	if w.conn, err = w.epollFile.SyscallConn(); err != nil {
		return fmt.Errorf("wait through the poller: %w", err)
	}
	w.poll = func(set uintptr) bool {
		n, _, _ := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, set, uintptr(unsafe.Pointer(&w.ready)), uintptr(len(w.ready)), 0, 0, 0)
		w.readyCount = max(0, min(int(n), len(w.ready)))
		return w.readyCount > 0
	}
	return nil
}

func openEvents() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return -1, fmt.Errorf("open a socket for events: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1<<(groupTCPDestroy-1) | 1<<(groupTCP6Destroy-1)})
	if err == nil {
		err = filterConnections(fd)
	}
	// As much as the system lets have: events that find no room are lost, and
	// looking has to show what they would have told.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	if err != nil {
		_ = unix.Close(fd) // it is of no use
		return -1, fmt.Errorf("subscribe to destroyed sockets: %w", err)
	}
	return fd, nil
}

// setUDPEvents subscribes to the events of UDP sockets too, or no longer: each
// question to a name server would be one. Where the kernel refuses, looking
// shows the same.
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

// filterConnections keeps the events of connections away: the program runs in the
// kernel and passes what has no remote port, which is what listened, was only
// bound, or could not connect. In a storm of connections that is the cost.
func filterConnections(fd int) error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: remotePortOffset},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: wholeMessage},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}); err != nil {
		return fmt.Errorf("filter events: %w", err)
	}
	return nil
}

// Wait sleeps for d at the most.
func (w *waiter) Wait(d time.Duration, closed []monitor.SocketID) (_ []monitor.SocketID, hint monitor.Hint) {
	d = max(w.throttle(d), time.Nanosecond) // 0 would be never
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_, _, _ = unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(w.timer), 0, uintptr(unsafe.Pointer(&at)), 0, 0, 0)
	if err := w.conn.Read(w.poll); err != nil {
		time.Sleep(d) // closed; whoever waits all the same waits
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
		}
	}
	return closed, hint
}

// Follow lets Wait return when one of these processes ends.
func (w *waiter) Follow(pids []int) { w.exits.watch(pids) }

// readEvents takes all events that wait. Where the kernel had to drop some
// (ENOBUFS), the look that follows sees what is gone.
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

// parseEvents appends the cookies of the sockets that a datagram says were
// destroyed.
func parseEvents(closed []monitor.SocketID, b []byte) []monitor.SocketID {
	for len(b) >= headerSize {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerSize || size > len(b) {
			return closed
		}
		body := b[headerSize:size]
		if binary.NativeEndian.Uint16(b[4:]) == sockDiagByFamily && len(body) >= messageSize {
			closed = append(closed, socketCookie(body))
		}
		b = b[min(align4(size), len(b)):]
	}
	return closed
}

// Wake lets Wait return. It may be called from any goroutine, also after Close.
func (w *waiter) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wakefd >= 0 {
		one := [8]byte{1}                   // little or big endian, it is not zero
		_, _ = unix.Write(w.wakefd, one[:]) // full means that a wake-up waits already
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
