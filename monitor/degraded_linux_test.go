package monitor_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

// This file tests a monitor that lacks descriptors, events, /proc or time, or that has very
// many listeners or files. The monitor runs in a child, so that other tests are not
// affected.

// open is a listener of the test.
type open struct {
	address netip.AddrPort
	fd      int // -1 if a child has it
	close   func()
}

var lastPort atomic.Int32

// openSome opens n listeners on different ports.
func openSome(t *testing.T, n int) []open {
	t.Helper()
	var all []open
	for range n {
		address := nextAddress()
		l, err := listen(address)
		if err != nil {
			t.Fatal(err)
		}
		o := open{address, l.fd, sync.OnceFunc(func() { _ = unix.Close(l.fd) })}
		t.Cleanup(o.close)
		all = append(all, o)
	}
	return all
}

func nextAddress() netip.AddrPort {
	return loopback(byte(20+os.Getpid()%200), 201, 1, uint16(25_000+lastPort.Add(1)))
}

func closeAll(all []open) {
	for _, o := range all {
		o.close()
	}
}

func TestOutOfDescriptors(t *testing.T) {
	for _, few := range []string{"no more descriptors", "one more descriptor"} {
		t.Run(few, func(t *testing.T) {
			t.Parallel()
			w := watchFrom(t, nil).ready()
			before, passing, shared := openSome(t, 3), openSome(t, 3), openSome(t, 1)
			heir := shareWithChild(t, shared[0])
			w.listed(os.Getpid(), "", append(before, passing...)...)
			w.until("a listener with two owners", func() bool { return len(w.rows[shared[0].address.String()].Owners) == 2 })
			w.do(few)
			unchanged := w.changes(append(before, shared...))
			during := openSome(t, 3)
			// The descriptors of its owner do not change later, which would cause a search.
			quiet := open{address: nextAddress()}
			holder := begin(t, "many", []string{"0", quiet.address.String()})
			holder.Line(t)
			closeAll(passing)
			if few == "one more descriptor" { // a search needs only one
				w.listed(os.Getpid(), "", during...)
				w.listed(holder.PID, "", quiet)
			} else {
				w.listed(0, monitor.UnknownUnreadable, append(during, quiet)...)
			}
			w.gone(passing...)
			time.Sleep(5 * time.Second) // known owners are checked every 4 s and must stay
			if n := w.changes(append(before, shared...)); n != unchanged {
				t.Errorf("got %d reports of unchanged listeners, want none; last %+v", n-unchanged, w.rows[before[0].address.String()])
			}
			w.do("descriptors")
			w.listed(os.Getpid(), "", append(before, during...)...)
			w.listed(holder.PID, "", quiet)
			heir.End()
			w.listed(os.Getpid(), "", shared...)
			w.want(1, 0, append(before, shared...)...)
			w.want(1, 0, during...)
			w.want(1, 1, passing...)
		})
	}
}

// shareWithChild passes o to a child too.
func shareWithChild(t *testing.T, o open) child.Child {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(o.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "a listener")
	defer file.Close()
	return begin(t, "hold", nil, child.Holding(file))
}

func TestOutOfDescriptorsAtStart(t *testing.T) {
	t.Parallel()
	opened := openSome(t, 3)
	w := watchFrom(t, []string{"no more descriptors"})
	w.until("an error", func() bool { return strings.Contains(w.last.Problem, "too many open files") })
	if w.last.Source != "" || len(w.rows) != 0 {
		t.Errorf("source %q, sockets %v; want none", w.last.Source, w.rows)
	}
	w.do("descriptors")
	w.ready().listed(os.Getpid(), "", opened...)
	if source := w.source(); !strings.HasPrefix(source, "sock_diag") {
		t.Errorf("source %q, want sock_diag", source)
	}
}

// Without close events no poll is skipped: a restart can leave the counters unchanged.
func TestWithoutCloseEvents(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, []string{"no events"}).ready()
	opened := openSome(t, 3)
	w.listed(os.Getpid(), "", opened...)
	if source := w.source(); source != "sock_diag, polled" {
		t.Errorf("source %q, want polled", source)
	}
	time.Sleep(7 * time.Second) // with events, polls would be skipped by now
	closeAll(opened[:1])
	w.gone(opened[0])
	w.want(1, 1, opened[0])
	w.want(1, 0, opened[1:]...)
}

func TestSandboxWithoutNetlink(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, []string{"no netlink"}).ready()
	opened := openSome(t, 3)
	w.listed(os.Getpid(), "", opened...)
	if source := w.source(); source != "/proc/net, polled" {
		t.Errorf("source %q, want /proc/net", source)
	}
	closeAll(opened[:1])
	w.gone(opened[0])
	w.want(1, 1, opened[0])
	w.want(1, 0, opened[1:]...)
}

func TestWithoutProc(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, nil, child.OwnNamespaces(unix.CLONE_NEWNS)).ready()
	before, passing := w.openSome(3), w.openSome(3)
	w.listed(w.PID, "", append(before, passing...)...)
	w.do("no /proc")
	during := w.openSome(3)
	closeAll(passing)
	w.listed(0, monitor.UnknownUnreadable, during...)
	w.gone(passing...)
	time.Sleep(5 * time.Second) // known owners are checked every 4 s and must stay
	w.listed(w.PID, "", before...)
	w.do("/proc")
	w.listed(w.PID, "", append(before, during...)...)
	w.want(1, 0, before...)
	w.want(1, 0, during...)
	w.want(1, 1, passing...)
	w.stable(before...)
}

func TestSuspendedMonitor(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, nil).ready()
	stay, closing := openSome(t, 5), openSome(t, 5)
	w.listed(os.Getpid(), "", append(stay, closing...)...)
	child.Suspend(t, w.PID)
	opening, short := openSome(t, 5), openSome(t, 5)
	time.Sleep(3 * time.Second)
	closeAll(closing)
	closeAll(short)
	if err := unix.Kill(w.PID, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.listed(os.Getpid(), "", opening...)
	w.gone(closing...)
	time.Sleep(3 * time.Second) // unwanted events may come late
	w.want(1, 0, stay...)
	w.want(1, 1, closing...)
	w.want(1, 0, opening...)
	w.want(0, 0, short...)
	w.stable(stay...)
}

// The socket counters, which polls read instead of the table, can be unchanged although a
// listener has opened.
func TestListenerThatLeavesCountersUnchanged(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, nil, child.OwnNamespaces(unix.CLONE_NEWNET)).ready()
	w.do("connect")
	time.Sleep(7 * time.Second) // three seconds after a change, and three until the counters are trusted
	begin := time.Now()
	w.do("swap 127.0.0.1:2000")
	w.until("the events of two listeners", func() bool { return w.opened["127.0.0.1:2000"] == 1 && w.opened["127.0.0.1:2001"] == 1 })
	t.Logf("reported after %v", time.Since(begin))
}

func TestListenerOnEveryPort(t *testing.T) {
	ports := 5_000
	if long() {
		ports = 65_535
	}
	room(t, ports)
	w := watchFrom(t, nil, child.OwnNamespaces(unix.CLONE_NEWNET)).ready()
	begin := time.Now()
	w.do(fmt.Sprint("crowd ", ports))
	listening := time.Since(begin)
	w.until("the events of all opened sockets", func() bool { return len(w.opened) == ports })
	seen := time.Since(begin)
	w.until("the owners of all sockets", func() bool {
		for _, row := range w.rows {
			if len(row.Owners) != 1 {
				return false
			}
		}
		return true
	})
	owned := time.Since(begin)
	w.do("close gate") // so that the kernel drops events
	w.do("disperse")
	begin = time.Now()
	w.do("open gate")
	w.until("the events of all closed sockets", func() bool { return len(w.closed) == ports && w.last.Count == 0 })
	t.Logf("%d ports: listening after %v, reported after %v, all owners found after %v; reported as closed after %v",
		ports, listening, seen, owned, time.Since(begin))
	w.mu.Lock()
	defer w.mu.Unlock()
	for port := 1; port <= ports; port++ {
		name := fmt.Sprint("0.0.0.0:", port)
		if w.opened[name] != 1 || w.closed[name] != 1 {
			t.Fatalf("port %d: opened %d times and closed %d times, want once each", port, w.opened[name], w.closed[name])
		}
	}
}

func TestProcessWithManyFiles(t *testing.T) {
	files := 10_000
	if long() {
		files = 100_000
	}
	files = room(t, files)
	w := watchFrom(t, nil).ready()
	before := w.pollDuration()
	address := open{address: loopback(byte(20+os.Getpid()%200), 202, 1, 25_000)}
	begun := time.Now()
	holder := begin(t, "many", []string{fmt.Sprint(files), address.address.String()})
	holder.Line(t)
	ready := time.Since(begun)
	w.listed(holder.PID, "", address)
	found := time.Since(begun) - ready
	after := w.pollDuration()
	t.Logf("%d files: owner found %v after the child was ready; a poll took %v before and %v then", files, found, before, after)
	// gopsutil, for example, reads all links of the machine on each poll.
	if links := readLinks(t, holder.PID); after > links {
		t.Errorf("a poll took %v before and %v with %d files; reading their links takes %v", before, after, files, links)
	}
	holder.End()
	w.gone(address)
	w.want(1, 1, address)
}
