package monitor_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// This file has worlds in which a monitor gets less than it wants, or more. The
// monitor runs in a child, so that no other test does.

// report is what a child that watches says of an update. Sockets are named by
// address and port; what listens that no test opened is in there too.
type report struct {
	Opened, Closed []string        `json:",omitempty"`
	Rows           map[string]seen `json:",omitempty"` // the sockets of the rows that changed
	Count          int             // of sockets
	Ready          bool            // the first snapshot was taken
	Source         string          `json:",omitempty"`
	Problem        string          `json:",omitempty"`
	Cost           time.Duration   `json:",omitempty"`
	Done           string          `json:",omitempty"` // a command
}

type seen struct {
	Owners []int  `json:",omitempty"`
	Hidden string `json:",omitempty"`
}

// playWatch runs a Monitor, as the program does. Its arguments are commands to
// obey first, its input those to obey then.
func playWatch(args []string) {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(r report) {
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(r); err != nil {
			fail(err)
		}
	}
	gate := make(chan struct{}, 1) // holds a token while the monitor may wait
	gate <- struct{}{}
	world := world{gate: gate, own: make(map[string]int)}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	obey := func(command string) {
		if err := world.obey(command); err != nil {
			fail(fmt.Errorf("%s: %w", command, err))
		}
		say(report{Done: command})
	}
	for _, command := range args {
		obey(command)
	}
	commands := bufio.NewScanner(os.Stdin)
	table, err := socket.Open(log)
	for err != nil { // there may be another time
		say(report{Problem: err.Error()})
		if !commands.Scan() {
			return
		}
		obey(commands.Text())
		table, err = socket.Open(log)
	}
	m := monitor.New(gated{table, gate}, owner.New(), monitor.Options{Describe: service.Describe, Logger: log})
	updates := m.Subscribe()
	go m.Run(context.Background())
	go func() {
		for range updates.C {
			if u, ok := updates.Take(); ok {
				say(reported(u))
			}
		}
	}()
	for commands.Scan() {
		obey(commands.Text())
	}
	os.Exit(0)
}

func reported(u monitor.Update) report {
	r := report{Rows: make(map[string]seen), Ready: u.Ready, Source: u.Health.Source, Problem: u.Health.Problem, Cost: u.Health.PollDuration}
	name := func(s monitor.HeldSocket, l *monitor.Listener) string {
		return netip.AddrPortFrom(s.Address, l.Port).String()
	}
	row := func(l *monitor.Listener) {
		for _, s := range l.Sockets {
			r.Rows[name(s, l)] = seen{Owners: s.Owners, Hidden: l.OwnerUnknown}
		}
	}
	for _, l := range u.Snapshot.Listeners {
		r.Count += len(l.Sockets)
		if len(u.Events) == 0 {
			row(l)
		}
	}
	for _, c := range u.Events {
		if c.Kind != monitor.Closed {
			row(c.Listener)
		}
	}
	ports := make(map[monitor.SocketID]*monitor.Listener)
	for _, c := range u.Events {
		for _, l := range []*monitor.Listener{c.Listener, c.Before} {
			if l != nil {
				for _, s := range l.Sockets {
					ports[s.ID] = l
				}
			}
		}
	}
	eachSocket(u.Events,
		func(s monitor.HeldSocket) { r.Opened = append(r.Opened, name(s, ports[s.ID])) },
		func(s monitor.HeldSocket) { r.Closed = append(r.Closed, name(s, ports[s.ID])) })
	return r
}

// gated is a Table that waits for nothing while its gate is shut.
type gated struct {
	socket.Table
	gate chan struct{}
}

func (g gated) Wait(d time.Duration, closed []monitor.SocketID) ([]monitor.SocketID, monitor.Hint) {
	<-g.gate
	g.gate <- struct{}{}
	return g.Table.Wait(d, closed)
}

// world makes the world of this process worse and better.
type world struct {
	limit unix.Rlimit
	gate  chan struct{}
	own   map[string]int // descriptors of listeners
	ends  []int          // of a connection
	crowd []*exec.Cmd
	lives []io.Closer // the crowd's
}

func (w *world) obey(command string) error {
	switch command {
	case "no more descriptors": // not one: those that are open stay
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &w.limit); err != nil {
			return err
		}
		return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: w.limit.Max})
	case "one more descriptor": // the lowest free number
		fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		return errors.Join(unix.Close(fd), unix.Getrlimit(unix.RLIMIT_NOFILE, &w.limit),
			unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(fd) + 1, Max: w.limit.Max}))
	case "descriptors":
		return unix.Setrlimit(unix.RLIMIT_NOFILE, &w.limit)
	case "no events":
		return forbid(unix.SYS_BIND, 2, unix.SizeofSockaddrNetlink) // to the groups; other addresses have other sizes
	case "no netlink":
		return forbidNetlink()
	case "no /proc":
		return errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("nothing", "/proc", "tmpfs", 0, ""))
	case "/proc":
		return unix.Unmount("/proc", 0)
	case "shut":
		<-w.gate
		return nil
	case "disperse":
		return w.disperse()
	case "open":
		w.gate <- struct{}{}
		return nil
	case "connect":
		return w.connect()
	}
	verb, object, _ := strings.Cut(command, " ")
	switch verb {
	case "crowd":
		return w.gather(object)
	case "listen":
		address, err := netip.ParseAddrPort(object)
		if err != nil {
			return err
		}
		l, err := listen(address)
		w.own[object] = l.fd
		return err
	case "close":
		return unix.Close(w.own[object])
	case "swap":
		return w.swap(object)
	}
	return errors.New("what is that?")
}

// connect connects to itself, in a network of its own.
func (w *world) connect() error {
	l, err := listen(loopback(0, 0, 1, 1000))
	if err != nil {
		return err
	}
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	up.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(l.fd, unix.SIOCSIFFLAGS, up); err != nil {
		return fmt.Errorf("switch lo on: %w", err)
	}
	// The end that closes first is to wait for nothing, as that of another machine
	// would not here.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_max_tw_buckets", []byte("0"), 0); err != nil {
		return err
	}
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(client, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 1000}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	server, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	w.ends = []int{client, server}
	return unix.Close(l.fd)
}

// swap ends the connection and listens at two addresses from first on, which leaves
// the kernel's counts as they were; else that is an error.
func (w *world) swap(first string) error {
	address, err := netip.ParseAddrPort(first)
	if err != nil {
		return err
	}
	before, err := sockstat()
	if err != nil {
		return err
	}
	for _, end := range w.ends {
		if err := unix.Close(end); err != nil {
			return err
		}
	}
	for range w.ends {
		if _, err := listen(address); err != nil {
			return err
		}
		address = netip.AddrPortFrom(address.Addr(), address.Port()+1)
	}
	after, err := sockstat()
	if err == nil && before != after {
		return fmt.Errorf("the counts were\n%s\nand are\n%s", before, after)
	}
	return err
}

// sockstat is the counts of network sockets of this network.
func sockstat() (string, error) {
	all, err := os.ReadFile("/proc/thread-self/net/sockstat")
	_, counts, _ := strings.Cut(string(all), "\n")
	return counts, err
}

// gather starts processes that listen on the ports from 1 to last, as many on
// each as it may have descriptors, and returns when they do.
func (w *world) gather(last string) error {
	n, err := strconv.Atoi(last)
	if err != nil {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	share := int(min(limit.Cur-100, uint64(n)))
	for from := 1; from <= n; from += share {
		c := command("crowd", fmt.Sprint(from), fmt.Sprint(min(from+share-1, n)))
		life, err := c.StdinPipe()
		if err != nil {
			return err
		}
		out, err := c.StdoutPipe()
		if err != nil {
			return err
		}
		if err := c.Start(); err != nil {
			return err
		}
		w.crowd, w.lives = append(w.crowd, c), append(w.lives, life)
		if _, err = bufio.NewReader(out).ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// disperse ends them all at once.
func (w *world) disperse() (err error) {
	for _, life := range w.lives {
		err = errors.Join(err, life.Close())
	}
	for _, c := range w.crowd {
		err = errors.Join(err, c.Wait())
	}
	return err
}

// playCrowd listens on the ports from one number to another.
func playCrowd(args []string) {
	from, errFrom := strconv.Atoi(args[0])
	to, errTo := strconv.Atoi(args[1])
	if errFrom != nil || errTo != nil {
		fail(fmt.Errorf("arguments %q", args))
	}
	for port := from; port <= to; port++ {
		if _, err := listen(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port))); err != nil {
			fail(err)
		}
	}
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// playManyFiles opens so many files, and a listener at an address.
func playManyFiles(args []string) {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		fail(err)
	}
	for range n {
		if _, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			fail(err)
		}
	}
	address, err := netip.ParseAddrPort(args[1])
	if err != nil {
		fail(err)
	}
	if _, err := listen(address); err != nil {
		fail(err)
	}
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// room lets this process, and the children that it starts from now on, have n
// descriptors and some, or as many as it may. It returns how many these are.
func room(t *testing.T, n int) int {
	t.Helper()
	const some = 100
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: was.Cur, Max: was.Max}) })
	want := uint64(n + some)
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: max(want, was.Cur), Max: max(want, was.Max)}) == nil {
		return n
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: was.Max, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	t.Logf("a process may have %d descriptors here, not %d", was.Max, want)
	return int(was.Max) - some
}

// forbidNetlink lets the kernel refuse netlink sockets to all threads of this
// process, as a sandbox does.
func forbidNetlink() error {
	if err := forbid(unix.SYS_SOCKET, 0, unix.AF_NETLINK); err != nil {
		return err
	}
	if _, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_SOCK_DIAG); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("a netlink socket: %w, want EPERM", err)
	}
	return nil
}

// forbid has the kernel refuse this process a system call where that argument of it,
// counted from 0, has that value.
func forbid(call uint32, argument, value uint32) error {
	lower := 16 + 8*argument // half of it, in seccomp_data
	if one := [2]byte{0, 1}; binary.NativeEndian.Uint16(one[:]) == 1 {
		lower += 4
	}
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jt: 0, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: lower},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(filter))); errno != 0 {
		return errno
	}
	return nil
}

// watcher is a child that watches, and what it said.
type watcher struct {
	child
	*testing.T
	mu      sync.Mutex
	rows    map[string]seen // of the last report of each
	opened  map[string]int  // how often
	closed  map[string]int
	changed map[string]int // reports with the row in it
	last    report
	done    []string
	ended   bool
}

func watchFrom(t *testing.T, commands []string, change ...func(*exec.Cmd)) *watcher {
	t.Helper()
	w := &watcher{child: begin(t, "watch", commands, change...), T: t, rows: make(map[string]seen),
		opened: make(map[string]int), closed: make(map[string]int), changed: make(map[string]int)}
	go func() {
		decoder := json.NewDecoder(w.out)
		for {
			var r report
			err := decoder.Decode(&r)
			w.mu.Lock()
			if err != nil {
				w.ended = true
				w.mu.Unlock()
				return
			}
			w.note(r)
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *watcher) note(r report) {
	if r.Done != "" {
		w.done = append(w.done, r.Done)
		return
	}
	w.last = r
	for name, row := range r.Rows {
		w.rows[name] = row
		w.changed[name]++
	}
	for _, name := range r.Opened {
		w.opened[name]++
	}
	for _, name := range r.Closed {
		w.closed[name]++
		delete(w.rows, name)
	}
}

// source is the way that was told last.
func (w *watcher) source() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Source
}

// until waits until ok is true of what was said.
func (w *watcher) until(what string, ok func() bool) {
	w.Helper()
	eventually(w.T, what, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ended {
			w.Fatalf("the child ended; wanted is that not %s", what)
		}
		return ok()
	})
}

// begun waits for the first snapshot.
func (w *watcher) begun() *watcher {
	w.Helper()
	w.until("there is no first snapshot", func() bool { return w.last.Ready })
	return w
}

// do lets the child obey a command.
func (w *watcher) do(command string) {
	w.Helper()
	w.mu.Lock()
	before := len(w.done)
	w.mu.Unlock()
	if _, err := fmt.Fprintln(w.in, command); err != nil {
		w.Fatal(err)
	}
	w.until("it does not obey "+command, func() bool { return len(w.done) > before })
}

// listed waits until the watcher lists these, with that owner; 0 is none that
// can be seen, for a reason with the word.
func (w *watcher) listed(pid int, reason string, listeners ...open) {
	w.Helper()
	for _, l := range listeners {
		var row seen
		var ok bool
		w.until(fmt.Sprintf("%v is not listed with the owner %d, %q", l.address, pid, reason), func() bool {
			row, ok = w.rows[l.address.String()]
			if pid == 0 {
				return ok && len(row.Owners) == 0 && row.Hidden != "" && strings.Contains(row.Hidden, reason)
			}
			return ok && slices.Equal(row.Owners, []int{pid})
		})
	}
}

// gone waits until the listeners are told as closed.
func (w *watcher) gone(listeners ...open) {
	w.Helper()
	for _, l := range listeners {
		w.until(fmt.Sprintf("%v is not told as closed", l.address), func() bool { return w.closed[l.address.String()] > 0 })
	}
}

// want fails where the listeners were not told as opened and closed so often.
func (w *watcher) want(opened, closed int, listeners ...open) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		if o, c := w.opened[l.address.String()], w.closed[l.address.String()]; o != opened || c != closed {
			w.Errorf("%v: told %d times as opened and %d as closed, want %d and %d", l.address, o, c, opened, closed)
		}
	}
}

// open is a listener of the test.
type open struct {
	address netip.AddrPort
	fd      int // -1 where a child has it
	close   func()
}

var lastPort atomic.Int32

// openSome opens n listeners, each on a port of its own.
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

// openSome is like that of the test, in the child: a process in a user namespace
// may not look into those outside.
func (w *watcher) openSome(n int) []open {
	w.Helper()
	var all []open
	for range n {
		address := nextAddress()
		w.do("listen " + address.String())
		all = append(all, open{address, -1, func() { w.do("close " + address.String()) }})
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

func TestOutOfDescriptorsNothingIsInventedAndAllIsFoundAgain(t *testing.T) {
	for _, few := range []string{"no more descriptors", "one more descriptor"} {
		t.Run(few, func(t *testing.T) {
			t.Parallel()
			w := watchFrom(t, nil).begun()
			before, passing, shared := openSome(t, 3), openSome(t, 3), openSome(t, 1)
			heir := shareWithChild(t, shared[0])
			w.listed(os.Getpid(), "", append(before, passing...)...)
			w.until("a listener of two processes is not seen as one", func() bool { return len(w.rows[shared[0].address.String()].Owners) == 2 })
			w.do(few)
			still := w.changes(append(before, shared...))
			during := openSome(t, 3)
			// One whose descriptors do not change later, which would draw a search.
			quiet := open{address: nextAddress()}
			holder := begin(t, "many", []string{"0", quiet.address.String()})
			holder.line(t)
			closeAll(passing)
			if few == "one more descriptor" { // that is all that a search needs
				w.listed(os.Getpid(), "", during...)
				w.listed(holder.pid, "", quiet)
			} else {
				w.listed(0, "may open no more files", append(during, quiet)...)
			}
			w.gone(passing...)
			time.Sleep(5 * time.Second) // known owners are checked every 4 s: they must outlast that
			if n := w.changes(append(before, shared...)); n != still {
				t.Errorf("rows of which nothing changed were told %d times", n-still)
			}
			w.do("descriptors")
			w.listed(os.Getpid(), "", append(before, during...)...)
			w.listed(holder.pid, "", quiet)
			heir.end()
			w.listed(os.Getpid(), "", shared...)
			w.want(1, 0, append(before, shared...)...)
			w.want(1, 0, during...)
			w.want(1, 1, passing...)
		})
	}
}

// changes counts how often the rows of these were told.
func (w *watcher) changes(of []open) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range of {
		n += w.changed[o.address.String()]
	}
	return n
}

// shareWithChild lets a child hold o too.
func shareWithChild(t *testing.T, o open) child {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(o.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "a listener")
	defer file.Close()
	return begin(t, "hold", nil, func(c *exec.Cmd) { c.ExtraFiles = []*os.File{file} })
}

// calm fails where rows changed more often than their listener did: once when
// it opened, once when its owner was found.
func (w *watcher) calm(listeners ...open) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		if n := w.changed[l.address.String()]; n > 2 {
			w.Errorf("%v: %d changes, want 1 or 2", l.address, n)
		}
	}
}

func TestOutOfDescriptorsFromTheBeginningNoLesserTableIsTaken(t *testing.T) {
	t.Parallel()
	opened := openSome(t, 3)
	w := watchFrom(t, []string{"no more descriptors"})
	w.until("no error is told", func() bool { return strings.Contains(w.last.Problem, "too many open files") })
	if w.last.Source != "" || len(w.rows) != 0 {
		t.Errorf("source %q, rows %v; want none", w.last.Source, w.rows)
	}
	w.do("descriptors")
	w.begun().listed(os.Getpid(), "", opened...)
	if source := w.source(); !strings.HasPrefix(source, "sock_diag") {
		t.Errorf("source %q, want sock_diag", source)
	}
}

// Then nothing is spared: without events a restart can leave the counts as they were.
func TestWithoutEventsOfClosesTheTableIsPolled(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, []string{"no events"}).begun()
	opened := openSome(t, 3)
	w.listed(os.Getpid(), "", opened...)
	if source := w.source(); source != "sock_diag, polled" {
		t.Errorf("source %q, want that it is polled", source)
	}
	time.Sleep(7 * time.Second) // the counts would be taken for the table by now
	closeAll(opened[:1])
	w.gone(opened[0])
	w.want(1, 1, opened[0])
	w.want(1, 0, opened[1:]...)
}

func TestASandboxThatRefusesNetlinkIsWatchedThroughProcNet(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, []string{"no netlink"}).begun()
	opened := openSome(t, 3)
	w.listed(os.Getpid(), "", opened...)
	if source := w.source(); source != "/proc/net, polled" {
		t.Errorf("source %q, want that it names /proc/net", source)
	}
	closeAll(opened[:1])
	w.gone(opened[0])
	w.want(1, 1, opened[0])
	w.want(1, 0, opened[1:]...)
}

func TestWithoutProcListenersStayAndOwnersComeBack(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, nil, ownNamespaces(unix.CLONE_NEWNS)).begun()
	before, passing := w.openSome(3), w.openSome(3)
	w.listed(w.pid, "", append(before, passing...)...)
	w.do("no /proc")
	during := w.openSome(3)
	closeAll(passing)
	w.listed(0, "/proc is not there", during...)
	w.gone(passing...)
	time.Sleep(5 * time.Second) // known owners are checked every 4 s: they must outlast that
	w.listed(w.pid, "", before...)
	w.do("/proc")
	w.listed(w.pid, "", append(before, during...)...)
	w.want(1, 0, before...)
	w.want(1, 0, during...)
	w.want(1, 1, passing...)
	w.calm(before...)
}

func TestAMonitorThatWasSuspendedTellsWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, nil).begun()
	stay, leave := openSome(t, 5), openSome(t, 5)
	w.listed(os.Getpid(), "", append(stay, leave...)...)
	if err := unix.Kill(w.pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	come, flash := openSome(t, 5), openSome(t, 5)
	time.Sleep(3 * time.Second)
	closeAll(leave)
	closeAll(flash)
	if err := unix.Kill(w.pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.listed(os.Getpid(), "", come...)
	w.gone(leave...)
	time.Sleep(3 * time.Second) // for what should not come
	w.want(1, 0, stay...)
	w.want(1, 1, leave...)
	w.want(1, 0, come...)
	w.want(0, 0, flash...)
	w.calm(stay...)
}

// The counts of sockets, which are looked at in place of the table, can be as they
// were though a listener has opened.
func TestAListenerThatNoCountTellsOfIsSeen(t *testing.T) {
	t.Parallel()
	w := watchFrom(t, nil, ownNamespaces(unix.CLONE_NEWNET)).begun()
	w.do("connect")
	time.Sleep(7 * time.Second) // three after a change, and three until the counts are taken for it
	begin := time.Now()
	w.do("swap 127.0.0.1:2000")
	w.until("two listeners are not told", func() bool { return w.opened["127.0.0.1:2000"] == 1 && w.opened["127.0.0.1:2001"] == 1 })
	t.Logf("seen after %v", time.Since(begin))
}

func TestAListenerOnEveryPort(t *testing.T) {
	ports := 5_000
	if long() {
		ports = 65_535
	}
	room(t, ports)
	w := watchFrom(t, nil, ownNamespaces(unix.CLONE_NEWNET)).begun()
	begin := time.Now()
	w.do(fmt.Sprint("crowd ", ports))
	listening := time.Since(begin)
	w.until("there are sockets that are not told as opened", func() bool { return len(w.opened) == ports })
	seen := time.Since(begin)
	w.until("there are owners that are not found", func() bool {
		for _, row := range w.rows {
			if len(row.Owners) != 1 {
				return false
			}
		}
		return true
	})
	owned := time.Since(begin)
	w.do("shut") // so that the kernel's words on closes find no room
	w.do("disperse")
	begin = time.Now()
	w.do("open")
	w.until("there are sockets that are not told as closed", func() bool { return len(w.closed) == ports && w.last.Count == 0 })
	t.Logf("%d ports: listening after %v, seen after %v, all owners found after %v; told as closed after %v",
		ports, listening, seen, owned, time.Since(begin))
	w.mu.Lock()
	defer w.mu.Unlock()
	for port := 1; port <= ports; port++ {
		name := fmt.Sprint("0.0.0.0:", port)
		if w.opened[name] != 1 || w.closed[name] != 1 {
			t.Fatalf("port %d: told %d times as opened and %d as closed, want once each", port, w.opened[name], w.closed[name])
		}
	}
}

func TestAProcessWithManyFilesIsFoundAndSlowsNoLook(t *testing.T) {
	files := 10_000
	if long() {
		files = 100_000
	}
	files = room(t, files)
	w := watchFrom(t, nil).begun()
	before := w.cost()
	address := open{address: loopback(byte(20+os.Getpid()%200), 202, 1, 25_000)}
	begun := time.Now()
	holder := begin(t, "many", []string{fmt.Sprint(files), address.address.String()})
	holder.line(t)
	ready := time.Since(begun)
	w.listed(holder.pid, "", address)
	found := time.Since(begun) - ready
	after := w.cost()
	t.Logf("%d files: owner found %v after the child was ready; a look took %v before and %v then", files, found, before, after)
	// gopsutil's table, say, reads all links of the machine in each look.
	if links := readLinks(t, holder.pid); after > links {
		t.Errorf("a look took %v before and %v with %d files, whose links are read in %v", before, after, files, links)
	}
	holder.end()
	w.gone(address)
	w.want(1, 1, address)
}

// readLinks is how long it takes to read the links of the files of a process.
func readLinks(t *testing.T, pid int) time.Duration {
	t.Helper()
	begin := time.Now()
	folder := fmt.Sprintf("/proc/%d/fd/", pid)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := os.Readlink(folder + f.Name()); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(begin)
}

// cost is the median of what some looks took.
func (w *watcher) cost() time.Duration {
	w.Helper()
	var costs []time.Duration
	for _, o := range openSome(w.T, 9) {
		w.listed(os.Getpid(), "", o)
		w.mu.Lock()
		costs = append(costs, w.last.Cost)
		w.mu.Unlock()
		o.close()
		w.gone(o)
	}
	slices.Sort(costs)
	return costs[len(costs)/2]
}
