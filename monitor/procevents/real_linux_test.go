package procevents_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/await"
	"porthole/internal/namespaces"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/procevents"
	"porthole/monitor/socket"
)

// The tests in this file use the events of the real kernel, and are skipped where it has
// none for us.

func TestMain(m *testing.M) {
	child.Main(m, child.Roles(map[string]func(){
		"dying server": playDyingServer,
		"eater":        playEater,
		"threads":      playThreads,
		"closes first": playClosesFirst,
	}))
}

// playDyingServer passes a listener to a shell, which ends as the argument says when its
// input ends: "exit 3", "kill -SEGV $$". The Go runtime would handle some signals.
func playDyingServer() {
	ln, file := child.ListenerFile()
	child.Report(child.Listening{Port: child.Port(ln)})
	if _, err := unix.FcntlInt(file.Fd(), unix.F_SETFD, 0); err != nil { // inherited by the shell
		child.Fail(err)
	}
	child.Fail(syscall.Exec("/bin/sh", []string{"sh", "-c", "read line; " + os.Args[1]}, os.Environ()))
}

// playEater joins the control group in its first argument and listens. When its input
// ends, it uses more and more memory, or with a second argument kills itself.
func playEater() {
	if err := os.WriteFile(filepath.Join(os.Args[1], "cgroup.procs"), []byte("0"), 0); err != nil {
		child.Fail(err)
	}
	child.Report(child.Listen())
	child.Wait()
	if len(os.Args) > 2 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	for used := [][]byte{}; ; {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = 1
		}
		used = append(used, b)
	}
}

// playThreads starts threads and ends with status 3 when its input ends.
func playThreads() {
	var started sync.WaitGroup
	for range threads {
		started.Add(1)
		go func() {
			runtime.LockOSThread()
			started.Done()
			select {}
		}()
	}
	started.Wait()
	child.Report(child.Listen())
	child.Wait()
	os.Exit(3)
}

const threads = 40

// playClosesFirst listens, and when its input ends closes its port and fails a little
// later, as Python does.
func playClosesFirst() {
	ln, file := child.ListenerFile()
	child.Report(child.Listening{Port: child.Port(ln)})
	child.Wait()
	_, _ = file.Close(), ln.Close()
	time.Sleep(10 * time.Millisecond)
	os.Exit(3)
}

// needEvents opens a source, and skips the test if there are no events.
func needEvents(t *testing.T) *procevents.Source {
	t.Helper()
	s := procevents.Open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.State() != procevents.Available {
		t.Skipf("no process events: %s (%s)", s.State(), s.Reason())
	}
	return s
}

// run runs a monitor of the machine until the test ends, and returns its updates after
// the first one.
func run(t *testing.T, source monitor.ProcessSource) *monitor.Subscription {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	table, err := socket.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	m := monitor.New(table, owner.New(), monitor.Options{Programs: source, Logger: log})
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; _ = table.Close() })
	for {
		<-updates.C
		if u, ok := updates.Take(); ok && u.Ready {
			return updates
		}
	}
}

// next returns the next event of this kind about a port.
func next(t *testing.T, updates *monitor.Subscription, kind monitor.Kind, port int) monitor.Event {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case <-timeout:
			t.Fatalf("no event %q of port %d within a minute", kind, port)
		case <-updates.C:
		}
		u, _ := updates.Take()
		for _, e := range u.Events {
			if e.Kind == kind && int(e.Listener.Port) == port {
				return e
			}
		}
	}
}

// serve starts a server that may end in any way, and waits for its end, as most parents do.
func serve(t *testing.T, role string, args ...string) (s child.Server) {
	t.Helper()
	c := child.Command(role, args...)
	var err error
	if s.Child, err = child.Launch(c); err != nil {
		t.Fatal(err)
	}
	if err := s.ReadReport(&s.Listening); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // the test finds out how it ended
	}()
	t.Cleanup(func() { _ = c.Process.Kill(); <-ended })
	return s
}

// endingOf returns how a server ended that was started and then told to end, and its
// closed event. On a busy machine the exit may be reported too late: then it is unknown,
// which must not be the rule.
func endingOf(t *testing.T, updates *monitor.Subscription, start func() child.Server) string {
	t.Helper()
	got := ""
	for range 50 {
		s := start()
		next(t, updates, monitor.Opened, s.Port)
		_ = s.In.Close()
		if got = next(t, updates, monitor.Closed, s.Port).Exit.Sentence().String(); got != "" {
			break
		}
	}
	return strings.TrimSuffix(got, " (core dumped)") // whether it is depends on the machine
}

// normally is what is known of a process that ends with status 0: there is no event, and a
// pidfd tells it since Linux 6.15.
func normally() string {
	if procevents.ReadsStatusOfZero() {
		return "exited normally"
	}
	return ""
}

func TestClosedSaysHowTheOwnerEnded(t *testing.T) {
	updates := run(t, needEvents(t))
	for how, want := range map[string]string{
		"exit 0":        normally(),
		"exit 3":        "exited with status 3",
		"kill -SEGV $$": "was killed by SIGSEGV",
		"kill -KILL $$": "was killed by SIGKILL",
		"kill -TERM $$": "was killed by SIGTERM",
	} {
		t.Run(how, func(t *testing.T) {
			got := endingOf(t, updates, func() child.Server {
				return serve(t, "dying server", how)
			})
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestExitAfterTheClose(t *testing.T) {
	updates := run(t, needEvents(t))
	got := endingOf(t, updates, func() child.Server { return serve(t, "closes first") })
	if want := "exited with status 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A container has no events, but descriptors of its processes.
func TestExitInAPIDNamespace(t *testing.T) {
	if !namespaces.Inside(t, syscall.CLONE_NEWPID|syscall.CLONE_NEWNS) {
		return
	}
	if normally() == "" {
		t.Skip("this kernel tells no exits: they need Linux 6.15")
	}
	s := procevents.Open()
	t.Cleanup(func() { _ = s.Close() }) // after the monitor has ended
	updates := run(t, s)
	for how, want := range map[string]string{"exit 0": "exited normally", "exit 3": "exited with status 3", "kill -SEGV $$": "was killed by SIGSEGV"} {
		got := endingOf(t, updates, func() child.Server {
			return serve(t, "dying server", how)
		})
		if got != want {
			t.Errorf("%s: got %q, want %q", how, got, want)
		}
	}
}

// Each thread of a process has an exit, and each has the status of the process.
func TestExitOfAProcessWithThreads(t *testing.T) {
	updates := run(t, needEvents(t))
	got := endingOf(t, updates, func() child.Server { return serve(t, "threads") })
	if want := "exited with status 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A process that fails does not close a listener that another one holds, too.
func TestSharedListener(t *testing.T) {
	updates := run(t, needEvents(t))
	s := serve(t, "dying server", "sleep 600 & kill -SEGV $$")
	next(t, updates, monitor.Opened, s.Port)
	_ = s.In.Close()
	for changed := false; ; {
		<-updates.C
		u, _ := updates.Take()
		for _, e := range u.Events {
			if int(e.Listener.Port) != s.Port {
				continue
			}
			o, _ := e.Listener.Principal()
			switch {
			case e.Kind == monitor.OwnerChanged:
				changed = true
				if err := syscall.Kill(o.PID, syscall.SIGTERM); err != nil { // the child that sleeps
					t.Fatal(err)
				}
			case e.Kind == monitor.Closed && changed:
				if got := e.Exit.Sentence().String(); got != "was killed by SIGTERM" && got != "" {
					t.Errorf("the last holder: got %q, want that SIGTERM killed it", got)
				}
				return
			case e.Kind == monitor.Closed:
				t.Fatalf("closed by the first of two holders: %s", e.Exit.Sentence())
			}
		}
	}
}

// memoryGroup returns the folder of a new control group with a limit of 64 MB, in the
// hierarchy of one version of cgroups(7). It skips the test if there is none.
func memoryGroup(t *testing.T, version int) string {
	t.Helper()
	const root = "/sys/fs/cgroup"
	limits := map[string]string{"memory.max": "67108864", "memory.swap.max": "0"}
	parents := []string{root, filepath.Join(root, "unified"), filepath.Join(root, filepath.Dir(ownGroup(t)))}
	if version == 1 {
		limits, parents = map[string]string{"memory.limit_in_bytes": "67108864"}, []string{filepath.Join(root, "memory")}
	}
	for _, parent := range parents {
		if controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control")); version == 2 && (err != nil || !strings.Contains(string(controllers), "memory")) {
			continue
		}
		dir := filepath.Join(parent, "porthole-test"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Logf("not in %s: %v", parent, err)
			continue
		}
		t.Cleanup(func() {
			await.Until(t, "the control group is empty", func() bool { return syscall.Rmdir(dir) == nil })
		})
		for file, limit := range limits {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(limit), 0o644); err != nil && !os.IsNotExist(err) { // a system without swap has no limit of it
				t.Fatalf("limit the memory of a group: %v", err)
			}
		}
		return dir
	}
	t.Skipf("no control groups of version %d with limits of memory, or they may not be changed", version)
	return ""
}

// ownGroup returns the path of this process in the hierarchy of version 2.
func ownGroup(t *testing.T) string {
	t.Helper()
	table, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return path
		}
	}
	return "/"
}

// Only the kernel knows that memory ran out: a process in the same control group that
// someone kills looks alike.
func TestOutOfMemory(t *testing.T) {
	updates := run(t, needEvents(t))
	for _, version := range []int{1, 2} {
		t.Run("version "+strconv.Itoa(version), func(t *testing.T) {
			dir := memoryGroup(t, version)
			for _, c := range []struct {
				want string
				args []string
			}{
				{"was killed by SIGKILL", []string{dir, "killed"}}, // first: the kills of the kernel are counted for some seconds
				{"was killed by SIGKILL: out of memory", []string{dir}},
			} {
				if got := endingOf(t, updates, func() child.Server { return serve(t, "eater", c.args...) }); got != c.want {
					t.Errorf("%v: got %q, want %q", c.args, got, c.want)
				}
			}
		})
	}
}

// The kernel ignores requests from other user and PID namespaces: they get no events, or
// all events that another program asks for, with PIDs of another namespace.
func TestSilentInNamespaces(t *testing.T) {
	for name, flags := range map[string]uintptr{"user": syscall.CLONE_NEWUSER, "PID": syscall.CLONE_NEWPID | syscall.CLONE_NEWNS} {
		t.Run(name, func(t *testing.T) {
			if !namespaces.Inside(t, flags) {
				return
			}
			s := procevents.Open()
			defer s.Close()
			if s.State() == procevents.Available {
				t.Error("got available in the namespace, want silent or refused")
			}
			if s.Descriptor() >= 0 || len(s.Started(nil)) > 0 {
				t.Error("the source has a descriptor or events")
			}
		})
	}
}

func TestRefusedInANetworkNamespace(t *testing.T) {
	if !namespaces.Inside(t, syscall.CLONE_NEWNET|syscall.CLONE_NEWNS|syscall.CLONE_NEWPID) {
		return
	}
	s := procevents.Open()
	defer s.Close()
	if s.State() == procevents.Available {
		t.Errorf("got %s, want refused or silent", s.State())
	}
}
