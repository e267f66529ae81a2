package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stageVariable is the environment variable that gives the test program one of the
// roles below.
const (
	stageVariable = "PORTHOLE_E2E_STAGE"

	stageProbe = "probe" // check whether the namespaces can be set up, and exit
	stageInit  = "init"  // set up the namespaces and start stageTest in them
	stageTest  = "test"  // run one test
)

// slowTests start first, so that none of them runs alone at the end.
var slowTests = []string{}

// machineTests run in the namespaces of the machine: the kernel sends process events to no
// others. They use only ports that are free.
var machineTests = []string{"TestCrashNotification"}

// runner runs each test, except for machineTests, in a process with a network, a PID and a
// mount namespace of its own. The tests then use the same ports and X displays at the same
// time, no other process of this machine interferes, and all processes of a test end with
// it. As many tests run at once as -parallel allows.
type runner struct {
	flags    []string // for the test processes
	parallel int
	failFast bool
	deadline time.Time // zero: none

	mu     sync.Mutex // guards the fields below and the output
	failed bool
}

// runTests runs the tests that the flags select and returns the exit status. If no
// namespaces can be created, the tests run one after another in this process.
func runTests(m *testing.M) int {
	if flagValue("test.list") != "" {
		return m.Run()
	}
	names, err := selectedTests()
	if err != nil {
		fmt.Println("list the desktop tests:", err)
		return 1
	}
	if len(names) == 0 {
		return m.Run() // it warns that there are none
	}
	if err := probe(); err != nil {
		fmt.Printf("The desktop tests run one after another: no namespaces can be created: %v\n", err)
		return m.Run()
	}
	r := &runner{flags: testFlags(), failFast: flagValue("test.failfast") == "true"}
	if r.parallel, err = strconv.Atoi(flagValue("test.parallel")); err != nil || r.parallel < 1 {
		r.parallel = 1
	}
	if timeout, err := time.ParseDuration(flagValue("test.timeout")); err == nil && timeout > 0 {
		r.deadline = time.Now().Add(timeout)
	}
	return r.run(names)
}

func flagValue(name string) string {
	if f := flag.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// selectedTests returns the names of the tests that -run and -skip select, slow tests
// first.
func selectedTests() ([]string, error) {
	pattern, _, _ := strings.Cut(flagValue("test.run"), "/")
	out, err := exec.Command(testProgram, "-test.list=.").Output()
	if err != nil {
		return nil, err
	}
	selected, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	skip := flagValue("test.skip")
	skipped, err := regexp.Compile(skip)
	if err != nil {
		return nil, fmt.Errorf("-skip: %w", err)
	}
	names := slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool {
		return !selected.MatchString(name) || skip != "" && !strings.Contains(skip, "/") && skipped.MatchString(name)
	})
	rank := func(name string) int {
		if i := slices.Index(slowTests, name); i >= 0 {
			return i
		}
		return len(slowTests)
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names, nil
}

// testFlags returns the flags for the process of a single test, without -run and
// -timeout.
func testFlags() (flags []string) {
	own := []string{"test.run", "test.timeout", "test.parallel", "test.failfast", "test.testlogfile", "test.gocoverdir"}
	flag.Visit(func(f *flag.Flag) {
		if !slices.Contains(own, f.Name) {
			flags = append(flags, "-"+f.Name+"="+f.Value.String())
		}
	})
	return flags
}

func (r *runner) run(names []string) int {
	queue := make(chan string)
	var workers sync.WaitGroup
	for range min(r.parallel, len(names)) {
		workers.Go(func() {
			for name := range queue {
				r.test(name)
			}
		})
	}
	for _, name := range names {
		if r.failFast && r.hasFailed() {
			break
		}
		queue <- name
	}
	close(queue)
	workers.Wait()
	if r.hasFailed() {
		fmt.Println("FAIL")
		return 1
	}
	fmt.Println("PASS")
	return 0
}

func (r *runner) hasFailed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// test runs one test and prints its output when it has ended.
func (r *runner) test(name string) {
	ctx := context.Background()
	run := "^" + name + "$"
	if _, subtests, ok := strings.Cut(flagValue("test.run"), "/"); ok {
		run += "/" + subtests
	}
	args := append([]string{"-test.run=" + run}, r.flags...)
	if !r.deadline.IsZero() {
		left := time.Until(r.deadline)
		args = append(args, "-test.timeout="+left.String())
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left+10*time.Second) // it prints its goroutines first
		defer cancel()
	}
	cmd := isolated(ctx, stageInit, args...)
	if slices.Contains(machineTests, name) {
		cmd = onMachine(ctx, stageTest, args...)
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		out = bytes.TrimSuffix(out, []byte("PASS\n"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	os.Stdout.Write(out)
	if err == nil {
		return
	}
	r.failed = true
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		fmt.Printf("--- FAIL: %s: the test process: %v\n", name, err)
	}
}

// isolated returns a command that starts the test program in new namespaces. An ordinary user
// also needs a new user namespace, in which the user ID stays the same. The process ends
// with this one.
func isolated(ctx context.Context, stage string, args ...string) *exec.Cmd {
	cmd := onMachine(ctx, stage, args...)
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN, unix.CAP_SYS_ADMIN}
	}
	return cmd
}

// onMachine is isolated without namespaces.
func onMachine(ctx context.Context, stage string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, testProgram, args...)
	cmd.Env = append(os.Environ(), stageVariable+"="+stage)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// probe returns an error if tests cannot be isolated.
func probe() error {
	if out, err := isolated(context.Background(), stageProbe).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// runInit is the first process of a PID namespace: it sets up the namespaces, drops the
// capabilities for that, runs the test in another process, and reaps orphans. It returns
// the test's exit status. When it exits, the kernel kills all processes of the namespace.
func runInit() (status int, _ error) {
	runtime.LockOSThread() // capabilities belong to a thread
	if err := setUpNamespaces(); err != nil {
		return 0, err
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("drop capabilities: %w", err)
	}
	if err := os.Setenv(stageVariable, stageTest); err != nil {
		return 0, err
	}
	test := exec.Command(testProgram, os.Args[1:]...)
	test.Stdout, test.Stderr = os.Stdout, os.Stderr
	if err := test.Start(); err != nil {
		return 0, fmt.Errorf("start the test: %w", err)
	}
	for {
		var state syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &state, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for the test: %w", err)
		case pid == test.Process.Pid && state.Signaled():
			return 0, fmt.Errorf("the test got the signal %v", state.Signal())
		case pid == test.Process.Pid:
			return state.ExitStatus(), nil
		}
	}
}

// setUpNamespaces enables the loopback interface, mounts /proc for the PID namespace, and
// hides the sockets of other X servers: a server of another network namespace does not
// notice that a display is in use, and would replace its socket.
func setUpNamespaces() error {
	if err := enableLoopback(); err != nil {
		return fmt.Errorf("enable the loopback interface: %w", err)
	}
	const sockets = "/tmp/.X11-unix"
	if err := os.Mkdir(sockets, 0o777|os.ModeSticky); err == nil {
		err = os.Chmod(sockets, 0o777|os.ModeSticky)
		if err != nil {
			return err
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("separate the mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("tmpfs", sockets, "tmpfs", 0, "mode=1777"); err != nil {
		return fmt.Errorf("mount %s: %w", sockets, err)
	}
	return nil
}

// enableLoopback brings up the loopback interface of this network namespace.
func enableLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
