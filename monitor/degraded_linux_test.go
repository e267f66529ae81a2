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

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// This file tests a monitor that lacks descriptors, events, /proc or time, or that has very
// many listeners or files. The monitor runs in a child, so that other tests are not
// affected.

// report is the report of a watching child about an update. Sockets are named by address
// and port; those that no test opened are included.
type report struct {
	Opened, Closed []string        `json:",omitempty"`
	Rows           map[string]seen `json:",omitempty"` // the sockets of the listeners that changed
	Count          int             // of sockets
	Ready          bool            // the first snapshot was taken
	Source         string          `json:",omitempty"`
	Problem        string          `json:",omitempty"`
	PollDuration   time.Duration   `json:",omitempty"`
	Done           string          `json:",omitempty"` // a command
}

type seen struct {
	Owners  []int  `json:",omitempty"`
	Unknown string `json:",omitempty"`
}

// playWatch runs a Monitor as the program does. Its arguments are commands to run before
// that, its input has further commands.
func playWatch() {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	send := func(r report) {
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(r); err != nil {
			child.Fail(err)
		}
	}
	gate := make(chan struct{}, 1) // has a token while the monitor may wait
	gate <- struct{}{}
	conditions := conditions{gate: gate, own: make(map[string]int)}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	run := func(command string) {
		if err := conditions.run(command); err != nil {
			child.Fail(fmt.Errorf("%s: %w", command, err))
		}
		send(report{Done: command})
	}
	for _, command := range os.Args[1:] {
		run(command)
	}
	commands := bufio.NewScanner(os.Stdin)
	table, err := socket.Open(log)
	for err != nil { // until there are resources again
		send(report{Problem: err.Error()})
		if !commands.Scan() {
			return
		}
		run(commands.Text())
		table, err = socket.Open(log)
	}
	m := monitor.New(gatedTable{table, gate}, owner.New(), monitor.Options{Enrich: enrich.New(), Describe: service.Describe, Logger: log})
	updates := m.Subscribe()
	go m.Run(context.Background())
	go func() {
		for range updates.C {
			if u, ok := updates.Take(); ok {
				send(reported(u))
			}
		}
	}()
	for commands.Scan() {
		run(commands.Text())
	}
	os.Exit(0)
}

func reported(u monitor.Update) report {
	r := report{Rows: make(map[string]seen), Ready: u.Ready, Source: u.Health.Source, Problem: u.Health.Problem, PollDuration: u.Health.PollDuration}
	name := func(s monitor.HeldSocket, l *monitor.Listener) string {
		return netip.AddrPortFrom(s.Address, l.Port).String()
	}
	row := func(l *monitor.Listener) {
		for _, s := range l.Sockets {
			r.Rows[name(s, l)] = seen{Owners: s.Owners, Unknown: l.OwnerUnknown}
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

// gatedTable is a Table that blocks in Wait while its gate is closed.
type gatedTable struct {
	socket.Table
	gate chan struct{}
}

func (g gatedTable) WatchExits(pids []int) { watchExits(g.Table, pids) }

func (g gatedTable) Wait(d time.Duration, closed []monitor.SocketID) ([]monitor.SocketID, monitor.Hint) {
	<-g.gate
	g.gate <- struct{}{}
	return g.Table.Wait(d, closed)
}

// conditions changes the conditions under which this process runs.
type conditions struct {
	limit unix.Rlimit
	gate  chan struct{}
	own   map[string]int // descriptors of listeners
	ends  []int          // of a connection
	crowd []*exec.Cmd
	lives []io.Closer // inputs of the crowd
}

func (w *conditions) run(command string) error {
	switch command {
	case "no more descriptors": // none at all: open ones stay open
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
		return forbid(unix.SYS_BIND, 2, unix.SizeofSockaddrNetlink) // forbids subscribing; other addresses have other sizes
	case "no netlink":
		return forbidNetlink()
	case "no /proc":
		return errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("nothing", "/proc", "tmpfs", 0, ""))
	case "/proc":
		return unix.Unmount("/proc", 0)
	case "close gate":
		<-w.gate
		return nil
	case "disperse":
		return w.disperse()
	case "open gate":
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
	return errors.New("unknown command")
}

// connect connects to itself in its own network namespace.
func (w *conditions) connect() error {
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
		return fmt.Errorf("bring lo up: %w", err)
	}
	// The side that closes first must not stay in TIME_WAIT.
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

// swap closes the connection and opens two listeners, on first and the next port, which
// leaves the kernel's counters unchanged; otherwise that is an error.
func (w *conditions) swap(first string) error {
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
		return fmt.Errorf("the counters were\n%s\nand are\n%s", before, after)
	}
	return err
}

// sockstat returns the socket counters of this network namespace.
func sockstat() (string, error) {
	all, err := os.ReadFile("/proc/thread-self/net/sockstat")
	_, counts, _ := strings.Cut(string(all), "\n")
	return counts, err
}

// gather starts processes that listen on the ports from 1 to last, each on as many as it
// may have descriptors, and returns when they do.
func (w *conditions) gather(last string) error {
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
		c := child.Command("crowd", fmt.Sprint(from), fmt.Sprint(min(from+share-1, n)))
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

// disperse ends all of them at the same time.
func (w *conditions) disperse() (err error) {
	for _, life := range w.lives {
		err = errors.Join(err, life.Close())
	}
	for _, c := range w.crowd {
		err = errors.Join(err, c.Wait())
	}
	return err
}

// playCrowd listens on a range of ports.
func playCrowd() {
	args := os.Args[1:]
	from, errFrom := strconv.Atoi(args[0])
	to, errTo := strconv.Atoi(args[1])
	if errFrom != nil || errTo != nil {
		child.Fail(fmt.Errorf("arguments %q", args))
	}
	for port := from; port <= to; port++ {
		if _, err := listen(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port))); err != nil {
			child.Fail(err)
		}
	}
	fmt.Println("listening")
	child.Wait()
}

// playManyFiles opens a number of files, and a listener on an address.
func playManyFiles() {
	args := os.Args[1:]
	n, err := strconv.Atoi(args[0])
	if err != nil {
		child.Fail(err)
	}
	for range n {
		if _, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			child.Fail(err)
		}
	}
	address, err := netip.ParseAddrPort(args[1])
	if err != nil {
		child.Fail(err)
	}
	if _, err := listen(address); err != nil {
		child.Fail(err)
	}
	fmt.Println("listening")
	child.Wait()
}

// room raises the descriptor limit of this process and its future children to a little
// more than n, or to the maximum. It returns the number of usable descriptors, at most n.
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
	t.Logf("the limit here is %d descriptors, not %d", was.Max, want)
	return int(was.Max) - some
}

// forbidNetlink makes the kernel deny netlink sockets to all threads of this process, as a
// sandbox does.
func forbidNetlink() error {
	if err := forbid(unix.SYS_SOCKET, 0, unix.AF_NETLINK); err != nil {
		return err
	}
	if _, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_SOCK_DIAG); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("open a netlink socket: %w, want EPERM", err)
	}
	return nil
}

// forbid makes the kernel deny a system call if the argument with that index has that
// value.
func forbid(call uint32, argument, value uint32) error {
	lower := 16 + 8*argument // offset of its lower half in seccomp_data
	if one := [2]byte{0, 1}; binary.NativeEndian.Uint16(one[:]) == 1 {
		lower += 4
	}
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the system call
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

// watcher is a child that runs playWatch, and its reports.
type watcher struct {
	child.Child
	*testing.T
	mu      sync.Mutex
	rows    map[string]seen // the last state of each socket
	opened  map[string]int  // number of events
	closed  map[string]int
	changed map[string]int // number of reports with the socket
	last    report
	done    []string
	ended   bool
}

func watchFrom(t *testing.T, commands []string, change ...func(*exec.Cmd)) *watcher {
	t.Helper()
	w := &watcher{Child: begin(t, "watch", commands, change...), T: t, rows: make(map[string]seen),
		opened: make(map[string]int), closed: make(map[string]int), changed: make(map[string]int)}
	go func() {
		decoder := json.NewDecoder(w.Out)
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

// source returns the source of the last report.
func (w *watcher) source() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Source
}

// until waits until ok returns true for the reports.
func (w *watcher) until(what string, ok func() bool) {
	w.Helper()
	await.Until(w.T, what, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ended {
			w.Fatalf("the child exited while waiting for %s", what)
		}
		return ok()
	})
}

// ready waits for the first snapshot.
func (w *watcher) ready() *watcher {
	w.Helper()
	w.until("the first snapshot", func() bool { return w.last.Ready })
	return w
}

// do makes the child run a command.
func (w *watcher) do(command string) {
	w.Helper()
	w.mu.Lock()
	before := len(w.done)
	w.mu.Unlock()
	if _, err := fmt.Fprintln(w.In, command); err != nil {
		w.Fatal(err)
	}
	w.until("the command "+command, func() bool { return len(w.done) > before })
}

// listed waits until the watcher lists these listeners with that owner; 0 means that the
// owner is unknown for that reason.
func (w *watcher) listed(pid int, reason string, listeners ...open) {
	w.Helper()
	for _, l := range listeners {
		var row seen
		var ok bool
		w.until(fmt.Sprintf("%v with owner %d, reason %q", l.address, pid, reason), func() bool {
			row, ok = w.rows[l.address.String()]
			if pid == 0 {
				return ok && len(row.Owners) == 0 && row.Unknown == reason
			}
			return ok && slices.Equal(row.Owners, []int{pid})
		})
	}
}

// gone waits until the listeners are reported as closed.
func (w *watcher) gone(listeners ...open) {
	w.Helper()
	for _, l := range listeners {
		w.until(fmt.Sprintf("the close of %v", l.address), func() bool { return w.closed[l.address.String()] > 0 })
	}
}

// want fails unless the listeners were reported as opened and closed that many times.
func (w *watcher) want(opened, closed int, listeners ...open) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		if o, c := w.opened[l.address.String()], w.closed[l.address.String()]; o != opened || c != closed {
			w.Errorf("%v: opened %d times and closed %d times, want %d and %d", l.address, o, c, opened, closed)
		}
	}
}

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

// openSome opens the listeners in the child: a process in a user namespace may not read
// processes outside.
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

// changes returns the number of reports with these listeners.
func (w *watcher) changes(of []open) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range of {
		n += w.changed[o.address.String()]
	}
	return n
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

// stable fails if listeners were reported more often than twice: when they opened, and when
// the owner was found.
func (w *watcher) stable(listeners ...open) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		if n := w.changed[l.address.String()]; n > 2 {
			w.Errorf("%v: got %d reports, want 1 or 2", l.address, n)
		}
	}
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

// readLinks returns how long it takes to read the links of all descriptors of a process.
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

// pollDuration returns the median duration of some polls.
func (w *watcher) pollDuration() time.Duration {
	w.Helper()
	var costs []time.Duration
	for _, o := range openSome(w.T, 9) {
		w.listed(os.Getpid(), "", o)
		w.mu.Lock()
		costs = append(costs, w.last.PollDuration)
		w.mu.Unlock()
		o.close()
		w.gone(o)
	}
	slices.Sort(costs)
	return costs[len(costs)/2]
}
