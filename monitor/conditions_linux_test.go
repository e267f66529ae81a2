package monitor_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor/process/child"
)

// This file makes the conditions under which the watching child runs.

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
