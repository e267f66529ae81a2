package procevents

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process"
)

// The tests in this file need no events of the kernel: a pair of sockets takes the place
// of the netlink socket.

// fakeSource returns a source and functions that send it an event.
func fakeSource(t *testing.T) (s *Source, started func(message), exited func(message)) {
	t.Helper()
	s = &Source{state: Available, memory: newMemory(), pidfds: newPidfds(), clocks: clocks}
	names := map[uint32]string{eventExec: "executed", eventComm: "named", eventExit: "exited 3"}
	open := func() (*subscription, func(message)) {
		subscription, kernel := pair(t)
		return subscription, func(m message) {
			if _, err := unix.Write(kernel, edited(t, names[m.what], m)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.starts, started = open()
	s.exits, exited = open()
	return s, started, exited
}

// now is the time of an event that happens now.
func now() uint64 { return uint64(clock(unix.CLOCK_MONOTONIC)) }

// justStarted returns the start of a process that has started this long ago, in ticks.
func justStarted(ago time.Duration) uint64 {
	return uint64((clock(unix.CLOCK_BOOTTIME) - ago) / tick)
}

// text describes what is known about an exit.
func text(e monitor.Exit, l monitor.Life) string {
	return strings.TrimSpace(e.Sentence().String() + map[monitor.Life]string{monitor.Alive: " alive", monitor.Exiting: " exiting", monitor.Ended: " ended", monitor.NeverKnown: " never known"}[l])
}

// unusedPID is no process: it is above every pid_max.
const unusedPID = 1 << 23

func TestStartedHasThePrograms(t *testing.T) {
	s, started, _ := fakeSource(t)
	started(message{what: eventExec, pid: 7, tgid: 7})
	started(message{what: eventExec, pid: 9, tgid: 8}) // a thread other than the first one executed a program
	started(message{what: eventComm, pid: 10, tgid: 10})
	if got := s.Started(nil); len(got) != 2 || got[0] != 7 || got[1] != 8 {
		t.Errorf("got %v, want 7 and 8", got)
	}
	if got := s.Started(nil); len(got) != 0 {
		t.Errorf("got %v again", got)
	}
}

func TestExit(t *testing.T) {
	for name, c := range map[string]struct {
		events []message
		want   string
	}{
		"none":            {nil, "ended"},
		"status":          {[]message{{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 3 << 8}}, "exited with status 3 ended"},
		"signal":          {[]message{{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 15}}, "was killed by SIGTERM ended"},
		"core dump":       {[]message{{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 11 | 0x80}}, "was killed by SIGSEGV (core dumped) ended"},
		"real-time":       {[]message{{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 40}}, "was killed by signal 40 ended"},
		"another process": {[]message{{what: eventExit, pid: 6, tgid: 6, waitStatus: 3 << 8}}, "ended"},
		"another thread":  {[]message{{what: eventExit, pid: 6, tgid: unusedPID, waitStatus: 3 << 8}}, "ended"},
		"threads of a process that ends": {[]message{
			{what: eventExit, pid: 5, tgid: unusedPID, waitStatus: 9},
			{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 6},
			{what: eventExit, pid: 6, tgid: unusedPID, waitStatus: 9}}, "was killed by SIGABRT ended"},
		"the PID was taken again, and that process failed, too": {[]message{
			{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 3 << 8},
			{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 4 << 8}}, "exited with status 3 ended"},
	} {
		s, _, exited := fakeSource(t)
		for _, m := range c.events {
			m.at = now()
			exited(m)
		}
		if got := text(s.Exit(monitor.Owner{PID: unusedPID, Start: justStarted(time.Second)})); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The exit of a process that had the PID before is not that of the owner.
func TestExitBeforeTheStart(t *testing.T) {
	s, _, exited := fakeSource(t)
	exited(message{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 3 << 8, at: now() - uint64(time.Second)})
	if got := text(s.Exit(monitor.Owner{PID: unusedPID, Start: justStarted(500 * time.Millisecond)})); got != "ended" {
		t.Errorf("got %q, want nothing known", got)
	}
}

// A process may have ended well, which has no event, long before another one with its PID
// fails.
func TestOldExitIsForgotten(t *testing.T) {
	s, _, exited := fakeSource(t)
	exited(message{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 3 << 8, at: now() - uint64(exitAge)})
	if got := text(s.Exit(monitor.Owner{PID: unusedPID, Start: justStarted(time.Hour)})); got != "ended" {
		t.Errorf("got %q, want nothing known", got)
	}
}

// Events have the time of a clock that stops while the machine is suspended, starts of
// processes that of one that goes on.
func TestExitAfterASuspension(t *testing.T) {
	const awake, suspended = time.Hour, 8 * time.Hour
	for name, c := range map[string]struct {
		started, ended time.Duration // of CLOCK_BOOTTIME, of CLOCK_MONOTONIC
		want           string
	}{
		"started and ended after it":       {awake + suspended - time.Second, awake - 500*time.Millisecond, "exited with status 3 ended"},
		"started before it":                {awake / 2, awake - time.Second, "exited with status 3 ended"},
		"another one ended after it":       {awake + suspended - time.Second, awake - 2*time.Second, "ended"},
		"another one ended long before it": {awake + suspended - time.Second, awake / 2, "ended"},
	} {
		s, _, exited := fakeSource(t)
		s.clocks = func() (time.Duration, time.Duration) { return awake, awake + suspended }
		exited(message{what: eventExit, pid: unusedPID, tgid: unusedPID, waitStatus: 3 << 8, at: uint64(c.ended)})
		if got := text(s.Exit(monitor.Owner{PID: unusedPID, Start: uint64(c.started / tick)})); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestExitInAStormOfExits(t *testing.T) {
	s, _, exited := fakeSource(t)
	exit := func(pid int) {
		exited(message{what: eventExit, pid: pid, tgid: pid, waitStatus: 1 << 8, at: now()})
		s.readExits()
	}
	for pid := range 3 * maxExits {
		exit(pid + 1)
	}
	exit(unusedPID)
	for pid := range maxExits / 2 {
		exit(pid + 1)
	}
	if got := text(s.Exit(monitor.Owner{PID: unusedPID, Start: justStarted(time.Minute)})); got != "exited with status 1 ended" {
		t.Errorf("got %q, want status 1", got)
	}
}

func TestLifeOfThisProcess(t *testing.T) {
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := fakeSource(t)
	if got := text(s.Exit(self)); got != "alive" {
		t.Errorf("this process: got %q, want alive", got)
	}
	self.Start++
	if got := text(s.Exit(self)); got != "ended" {
		t.Errorf("an earlier process with this PID: got %q, want ended", got)
	}
	if !s.Running(os.Getpid()) || s.Running(unusedPID) {
		t.Error("Running is wrong about this process or one that does not exist")
	}
}

func TestStateOf(t *testing.T) {
	for err, want := range map[error]State{
		nil: Available, syscall.EPERM: Refused, syscall.ECONNREFUSED: Refused, syscall.EPROTONOSUPPORT: Refused, syscall.EIO: Refused,
		errors.Join(errSilent): Silent,
	} {
		if got, reason := stateOf(err); got != want || (reason == "") != (err == nil) {
			t.Errorf("%v: got %s, %q; want %s", err, got, reason, want)
		}
	}
}

// memoryOf returns a memory with the root of control groups in a folder of the test.
func memoryOf(t *testing.T, files map[string]string) *memory {
	t.Helper()
	m := newMemory()
	m.root = t.TempDir()
	for path, content := range files {
		writeFile(t, filepath.Join(m.root, path), content)
	}
	return m
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCounterFile(t *testing.T) {
	const events = "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n"
	m := memoryOf(t, map[string]string{
		"user.slice/app.slice/memory.events.local": events,
		"system.slice/memory.events":               events,
		"memory/docker/1/memory.oom_control":       "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
	})
	for table, want := range map[string]string{
		"0::/user.slice/app.slice\n":            "user.slice/app.slice/memory.events.local",
		"0::/user.slice/app.slice/shop.scope\n": "user.slice/app.slice/memory.events.local", // the nearest group with a controller
		"0::/system.slice\n":                    "system.slice/memory.events",
		"5:memory:/docker/1\n0::/docker/1\n":    "memory/docker/1/memory.oom_control",
		"0::/../../user.slice/app.slice\n":      "", // outside of the namespace
		"0::/elsewhere\n":                       "",
		"":                                      "",
		"nonsense":                              "",
	} {
		if want != "" {
			want = filepath.Join(m.root, want)
		}
		if got := m.counterFile([]byte(table)); got != want {
			t.Errorf("%q: got %q, want %q", table, got, want)
		}
	}
}

// Only a process that is killed just after the counter of its group has increased was
// killed because memory ran out.
func TestOutOfMemory(t *testing.T) {
	const group = "app/memory.events.local"
	m := memoryOf(t, map[string]string{group: "oom_kill 2\n"})
	file := filepath.Join(m.root, group)
	o := monitor.Owner{PID: 7, Start: 1}
	m.groups[processID{7, 1}] = file
	begin := time.Now()
	m.files[file] = &kills{count: 2}
	if m.killed(o, begin) {
		t.Error("killed although the counter did not increase")
	}
	writeFile(t, file, "oom_kill 3\n")
	if !m.killed(o, begin.Add(time.Second)) {
		t.Error("not killed although the counter increased")
	}
	if m.killed(o, begin.Add(time.Second+killAge)) {
		t.Error("killed by the increase that an earlier process caused")
	}
	if m.killed(monitor.Owner{PID: 8}, begin.Add(time.Second)) {
		t.Error("killed although the group of the process is unknown")
	}
}

// A process may choose the name of its group.
func FuzzCounterFile(f *testing.F) {
	root := f.TempDir()
	m := newMemory()
	m.root = filepath.Join(root, "cgroup")
	for _, dir := range []string{"cgroup/a/b", "cgroup/memory/a", "outside"} {
		for _, name := range []string{"memory.events.local", "memory.oom_control"} {
			writeFile(f, filepath.Join(root, dir, name), "oom_kill 1\n")
		}
	}
	for _, table := range []string{"0::/a/b\n", "4:memory:/a\n0::/\n", "0::/../outside\n", "0::/a/../../outside\n", "0::..\n", "0::/a/b (deleted)\n", "::", "0::"} {
		f.Add([]byte(table))
	}
	f.Fuzz(func(t *testing.T, table []byte) {
		if file := m.counterFile(table); file != "" && !strings.HasPrefix(file, m.root+"/") {
			t.Errorf("%q: got %s, outside of %s", table, file, m.root)
		}
	})
}

func FuzzKills(f *testing.F) {
	for _, content := range []string{"low 0\noom 1\noom_kill 12\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 0", "oom_kill -1\n", "oom_kill 99999999999999999999\n", ""} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if count, ok := parseKills(content); !ok && count != 0 {
			t.Errorf("%q: got %d, which is not known", content, count)
		}
	})
}
