//go:build bench && linux

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/procevents"
	"porthole/monitor/service"
	"porthole/monitor/socket"
	"porthole/monitor/sockevents"
)

// actions carries out the orders of a worker.
type actions struct {
	opened  []int               // the listeners of "open", the oldest first
	tracker *sockevents.Tracker // of "count"

	mu     sync.Mutex
	out    *json.Encoder
	events map[monitor.Kind]int
}

func (h *actions) reply(a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.out.Encode(a); err != nil {
		os.Exit(1) // the bench has ended
	}
}

func (h *actions) do(o order) (answer, error) {
	switch o.Do {
	case "files":
		return answer{}, openFiles(o.N)
	case "listen":
		for range o.N {
			if _, _, err := listenAt(o.Address, 0); err != nil {
				return answer{}, err
			}
		}
		return answer{}, nil
	case "open":
		fd, at, err := listenAt(o.Address, o.N)
		h.opened = append(h.opened, fd)
		return answer{Port: o.N, At: at}, err
	case "close":
		at := child.Monotonic()
		err := unix.Close(h.opened[0])
		h.opened = h.opened[1:]
		return answer{At: at}, err
	case "hold":
		return answer{}, hold(o.Address, o.N)
	case "connect":
		return h.connect(o)
	case "churn":
		return churn(o)
	case "watch":
		return answer{}, h.watch(o.N != 0, o.Programs)
	case "run":
		done, err := atRate(o, func(int) error { return exec.Command("true").Run() })
		return answer{Done: done}, err
	case "count":
		h.count(o)
		return answer{}, nil
	case "counted":
		t := h.tracker.Totals(context.Background())[counted]
		return answer{Done: int(t.Connections), AtLeast: t.AtLeast}, nil
	case "cost":
		h.mu.Lock()
		defer h.mu.Unlock()
		return answer{At: child.Monotonic(), CPU: processTime(), Opened: h.events[monitor.Opened], Closed: h.events[monitor.Closed]}, nil
	}
	return answer{}, fmt.Errorf("unknown order %q", o.Do)
}

func openFiles(n int) error {
	for range n {
		if _, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
	}
	return nil
}

// listenAt opens a listener and returns it with the time of its listen(2).
func listenAt(address [4]byte, port int) (fd int, at time.Duration, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, 0, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: address}); err != nil {
		return -1, 0, fmt.Errorf("bind %v:%d: %w", address, port, err)
	}
	at = child.Monotonic()
	return fd, at, unix.Listen(fd, 128)
}

// pair opens one connection to a listener of this process and accepts it. With
// abort, closing it resets the connection, which leaves no TIME_WAIT.
func pair(listener int, to unix.Sockaddr, abort bool) (ends [2]int, err error) {
	if ends[0], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return ends, fmt.Errorf("socket: %w", err)
	}
	if err = unix.Connect(ends[0], to); err != nil {
		return ends, fmt.Errorf("connect: %w", err)
	}
	if ends[1], _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC); err != nil {
		return ends, fmt.Errorf("accept: %w", err)
	}
	for _, fd := range ends {
		if !abort {
			break
		}
		if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			return ends, fmt.Errorf("linger: %w", err)
		}
	}
	return ends, nil
}

func hold(address [4]byte, n int) error {
	listener, _, err := listenAt(address, 0)
	if err != nil {
		return err
	}
	defer unix.Close(listener)
	to, err := unix.Getsockname(listener)
	if err != nil {
		return err
	}
	for range n {
		if _, err := pair(listener, to, true); err != nil {
			return err
		}
	}
	return nil
}

// connect opens and closes connections to the first open listener.
func (h *actions) connect(o order) (answer, error) {
	to, err := unix.Getsockname(h.opened[0])
	if err != nil {
		return answer{}, err
	}
	done, err := atRate(o, func(int) error {
		ends, err := pair(h.opened[0], to, o.N != 0)
		if err != nil {
			return err
		}
		_ = unix.Close(ends[0])
		return unix.Close(ends[1])
	})
	return answer{Done: done}, err
}

// churn opens listeners and closes each after ten more were opened.
func churn(o order) (answer, error) {
	var open []int
	done, err := atRate(o, func(i int) error {
		fd, _, err := listenAt(o.Address, o.N+i%10_000)
		if err != nil {
			return err
		}
		if open = append(open, fd); len(open) > 10 {
			err = unix.Close(open[0])
			open = open[1:]
		}
		return err
	})
	for _, fd := range open {
		_ = unix.Close(fd)
	}
	return answer{Done: done}, err
}

// atRate calls do at the rate of the order, in steps of a millisecond.
func atRate(o order, do func(i int) error) (done int, _ error) {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		passed := min(time.Since(begun), o.For)
		for ; done < int(passed.Seconds()*float64(o.Rate)); done++ {
			if err := do(done); err != nil {
				return done, err
			}
			if time.Since(begun) > o.For {
				return done + 1, nil // too slow for the rate, as the result shows
			}
		}
		if passed == o.For {
			return done, nil
		}
	}
}

// counted is the ID of the listener of "count".
const counted = "counted"

// count counts the connections to a watched port from now on, as the agent does.
func (h *actions) count(o order) {
	h.tracker = sockevents.Open(slog.Default(), sockevents.Callbacks{})
	go h.tracker.Run(context.Background())
	port := uint16(o.N)
	h.tracker.Watch(sockevents.Wanted{Ports: monitor.Ports{{First: port, Last: port}}, Listeners: []*monitor.Listener{
		{ID: counted, Protocol: monitor.TCP, Port: port, Addresses: []netip.Addr{netip.AddrFrom4(o.Address)}}}})
}

// watch runs a monitor as the agent does, and returns after the first snapshot. With
// report, it sends every event. With programs, it polls more often after programs have
// started.
func (h *actions) watch(report, programs bool) error {
	debug.SetGCPercent(25)
	table, err := socket.Open(slog.Default())
	if err != nil {
		return err
	}
	opts := monitor.Options{Enrich: enrich.New(), Describe: service.Describe}
	if programs {
		source := procevents.Open()
		if source.State() != procevents.Available {
			return errors.New(procevents.Describe(source))
		}
		opts.Programs = source
	}
	m := monitor.New(table, owner.New(), opts)
	updates := m.Subscribe()
	h.events = make(map[monitor.Kind]int)
	ready := make(chan struct{})
	go m.Run(context.Background())
	go func() {
		for first := true; ; {
			<-updates.C
			u, ok := updates.Take()
			now := child.Monotonic()
			if !ok || !u.Ready {
				continue
			}
			if first {
				close(ready)
				first = false
			}
			h.mu.Lock()
			for _, c := range u.Events {
				h.events[c.Kind]++
			}
			h.mu.Unlock()
			for _, c := range u.Events {
				if report {
					h.reply(answer{Kind: string(c.Kind), Port: int(c.Listener.Port), At: now})
				}
			}
		}
	}()
	<-ready
	return nil
}
