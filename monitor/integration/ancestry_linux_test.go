package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/connection/source"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
	"porthole/monitor/warning"
)

// This file tests why real processes run, and the warnings about them.

// explain returns the explanation of the principal owner of a listener, and the warnings
// about it.
func explain(t *testing.T, l *monitor.Listener) (ancestry.Explanation, []string) {
	t.Helper()
	o, _ := l.Principal()
	live := process.State(o)
	why := ancestry.Explain(o, l.CgroupInfo, live)
	var kinds []string
	for _, w := range warning.Check(l, o, why, live) {
		if w.Kind != warning.RunsAsRoot && w.Kind != warning.UntrustedFolder { // depend on who runs this test, and where go test builds
			kinds = append(kinds, string(w.Kind))
		}
	}
	return why, kinds
}

// program returns the path of the test program.
func program(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shell starts a shell that reads from a pipe instead of a terminal, and sends line. The
// server that it starts reports its port and runs until the test ends.
func shell(t *testing.T, folder, line string) (c *exec.Cmd, port int) {
	t.Helper()
	c = exec.Command("sh")
	c.Dir, c.Stderr = folder, os.Stderr
	child.SetRole(c, "listen")
	c.Env = append(c.Env, "SERVER="+program(t))
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Process.Kill() // the server exits at the end of its input, the shell may not
		_ = c.Wait()
	})
	if _, err := fmt.Fprintln(in, line); err != nil {
		t.Fatal(err)
	}
	return c, readPort(t, out)
}

func readPort(t *testing.T, out io.Reader) int {
	t.Helper()
	var s child.Listening
	b, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(b, &s) != nil || s.Port == 0 {
		t.Fatalf("the server printed %q, %v", b, err)
	}
	return s.Port
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// one waits until the port has one listener with one owner, and returns it.
func (w *watcher) one() *monitor.Listener {
	w.Helper()
	w.see("the listener with its owner", func(s monitor.Snapshot) bool {
		rows := onPort(s, w.port)
		return len(rows) == 1 && len(rows[0].Owners) == 1
	})
	return onPort(w.now, w.port)[0]
}

// A shell runs npm, which runs the server in another shell. Then the first shell
// exits: the monitor, which saw it, knows that the server is orphaned, although the
// shell is no longer in the chain of parents.
func TestScriptWhoseShellExits(t *testing.T) {
	if _, err := os.Stat("/bin/bash"); err != nil {
		t.Skip("needs bash, whose exec takes a name")
	}
	folder := t.TempDir()
	// npm is a node process that sets its name and command line to that.
	write(t, filepath.Join(folder, "npm"), `#!/bin/bash
exec -a "npm run dev" /bin/bash -c 'printf "npm run dev" > /proc/$$/comm; sh -c "$SERVER 127.0.0.1:0; :"; :'
`)
	c, port := shell(t, folder, "./npm run dev")
	w := watch(t, port, 20*time.Millisecond)
	l := w.one()
	why, warnings := explain(t, l)
	if got, want := why.Sentence().String(), "Started by npm run dev in sh"; !strings.HasPrefix(got, want) || why.Orphaned || len(warnings) > 0 {
		t.Errorf("got %q, warnings %q; want %q and no warnings", got, warnings, want)
	}
	i := slices.IndexFunc(why.Chain, func(l ancestry.Process) bool { return l.PID == c.Process.Pid })
	if i < 0 || why.Chain[i].Role != ancestry.Shell || why.Chain[len(why.Chain)-1].PID != l.Owners[0].PID {
		t.Fatalf("chain %+v; want the shell %d, and %d last", why.Chain, c.Process.Pid, l.Owners[0].PID)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Process.Wait() // Cmd.Wait would close the server's input
	w.refresh()
	why, warnings = explain(t, w.one())
	if want := "Orphaned: started by npm run dev, whose terminal has closed"; why.Sentence().String() != want || !slices.Equal(warnings, []string{string(warning.Orphaned)}) {
		t.Errorf("got %q, warnings %q; want %q", why.Sentence().String(), warnings, want)
	}
	if !why.Chain[i].Ended || why.Chain[len(why.Chain)-2].Ended {
		t.Errorf("chain %+v; want %d ended, and the parent of the server running", why.Chain, c.Process.Pid)
	}
}

func TestShellScript(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "dev.sh"), "#!/bin/sh\n\"$SERVER\" 127.0.0.1:0\n:\n")
	_, port := shell(t, folder, "./dev.sh --fast")
	why, warnings := explain(t, watch(t, port, 20*time.Millisecond).one())
	if got, want := why.Sentence().String(), "Started by dev.sh in sh"; !strings.HasPrefix(got, want) || len(warnings) > 0 {
		t.Errorf("got %q, warnings %q; want %q", got, warnings, want)
	}
}

// The process that started the server was never seen: its session leader has exited, its
// parent is init or a subreaper, and it still has its terminal.
func TestOrphanOfTerminal(t *testing.T) {
	for name, c := range map[string]struct {
		then   string // what the shell does after starting the server
		orphan bool
	}{"its shell has exited": {"exit", true}, "its shell waits": {"wait", false}} {
		t.Run(name, func(t *testing.T) {
			port := inTerminal(t, `trap "" HUP; "$SERVER" 127.0.0.1:0 <&3 & `+c.then, c.orphan)
			why, warnings := explain(t, watch(t, port, 20*time.Millisecond).one())
			if why.Orphaned != c.orphan || slices.Contains(warnings, string(warning.Orphaned)) != c.orphan {
				t.Errorf("orphaned %v, warnings %q; want %v\nchain %+v", why.Orphaned, warnings, c.orphan, why.Chain)
			}
		})
	}
}

// playReaper starts a server with a shell that exits immediately. Like systemd for its
// user, it becomes the parent of orphaned processes.
func playReaper() child.Listening {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		child.Fail(err)
	}
	c := exec.Command("sh", "-c", `"$SERVER" 127.0.0.1:0 <&3 &`)
	path, err := os.Executable()
	if err != nil {
		child.Fail(err)
	}
	child.SetRole(c, "listen")
	c.Env = append(c.Env, child.NameVariable+"=", "SERVER="+path)
	c.ExtraFiles = []*os.File{os.Stdin}
	out, err := c.StdoutPipe()
	if err != nil {
		child.Fail(err)
	}
	if err := c.Start(); err != nil {
		child.Fail(err)
	}
	var s child.Listening
	if err := json.NewDecoder(out).Decode(&s); err != nil {
		child.Fail(err)
	}
	if err := c.Wait(); err != nil {
		child.Fail(err)
	}
	return s
}

// A service whose parent exited on purpose is not orphaned.
func TestServiceAdoptedBySystemd(t *testing.T) {
	c := child.Serve(t, "reaper", func(c *exec.Cmd) {
		c.Path, c.Args = program(t), []string{"systemd", "--user"}
		c.Env = append(c.Env, child.NameVariable+"=systemd")
	})
	why, warnings := explain(t, watch(t, c.Port, 20*time.Millisecond).one())
	if why.Orphaned || len(warnings) > 0 {
		t.Errorf("got %q, orphaned %v, warnings %q; want no warnings", why.Sentence().String(), why.Orphaned, warnings)
	}
	if i := len(why.Chain) - 2; i < 0 || why.Chain[i].PID != c.PID || why.Chain[i].Role != ancestry.System || why.Chain[i].Title != "systemd (user)" {
		t.Errorf("chain %+v; want %d, the user's systemd, before the last", why.Chain, c.PID)
	}
}

// inTerminal runs script in a shell that leads the session of a terminal. Descriptor 3 is
// the input of the server. ends means that the shell exits.
func inTerminal(t *testing.T, script string, ends bool) (port int) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("cannot open a terminal: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("cannot open a terminal: %v", err)
	}
	defer slave.Close()
	life, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer life.Close()
	c := exec.Command("sh", "-c", script)
	child.SetRole(c, "listen")
	c.Env = append(c.Env, "SERVER="+program(t))
	c.Stdin, c.Stderr, c.ExtraFiles = slave, slave, []*os.File{life}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	port = readPort(t, out)
	end := func() { _ = c.Wait() } // the session leader may get SIGHUP
	if ends {
		end()
		end = func() {}
	}
	t.Cleanup(func() { _ = keep.Close(); end() })
	return port
}

func TestReplacedProgram(t *testing.T) {
	folder, err := os.MkdirTemp("/tmp", "porthole-place")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "server")
	child.CopyTo(t, path)
	c := child.Serve(t, "listen", child.With("127.0.0.1:0"), child.Running(path))
	l := watch(t, c.Port, 20*time.Millisecond).one()
	why, warnings := explain(t, l)
	if len(warnings) > 0 {
		t.Errorf("warnings %q, want none", warnings)
	}
	if all := warning.Check(l, l.Owners[0], why, monitor.ProcessState{}); !slices.Contains(all, warning.Warning{Kind: warning.UntrustedFolder, Detail: "/tmp"}) {
		t.Errorf("warnings %+v, want /tmp", all)
	}
	child.CopyTo(t, path+".new")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if _, warnings := explain(t, l); !slices.Equal(warnings, []string{string(warning.ProgramReplaced)}) {
		t.Errorf("warnings %q after replacing, want program_replaced", warnings)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, warnings := explain(t, l); !slices.Contains(warnings, string(warning.ProgramReplaced)) {
		t.Errorf("warnings %q after deleting, want program_replaced", warnings)
	}
}

func TestPreloadedLibrary(t *testing.T) {
	c := child.Serve(t, "listen", child.With("127.0.0.1:0"), func(c *exec.Cmd) {
		c.Env = append(c.Env, "LD_PRELOAD=/nonexistent/x.so")
		c.Stderr = nil // the loader prints that the library is missing
	})
	o, err := process.Info(c.PID)
	if err != nil {
		t.Fatal(err)
	}
	if got := process.State(o).Preload; got != "/nonexistent/x.so" {
		t.Errorf("Preload = %q, want the library", got)
	}
	o.Start++
	if got := process.State(o).Preload; got != "" {
		t.Errorf("for another start: Preload = %q, want none", got)
	}
	mine, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if got := process.State(mine); got.Preload != os.Getenv("LD_PRELOAD") || got.RunsAsRoot != (os.Geteuid() == 0) {
		t.Errorf("state of this process = %+v", got)
	}
}

// A setuid program runs as root; its user is the one who started it.
func TestSetuidProgramOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to create a setuid program")
	}
	folder, err := os.MkdirTemp("", "porthole-setuid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "server")
	child.CopyTo(t, path)
	for path, mode := range map[string]os.FileMode{folder: 0o755, path: 0o755 | os.ModeSetuid} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, setuid := range []bool{true, false} {
		if !setuid {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		c := child.Serve(t, "listen", child.With("127.0.0.1:0"), child.AsNobody, child.Running(path))
		l := watch(t, c.Port, 20*time.Millisecond).one()
		o := l.Owners[0]
		live := process.State(o)
		if o.User != "nobody" || live.RunsAsRoot != setuid {
			t.Errorf("setuid %v: user %q, runs as root %v", setuid, o.User, live.RunsAsRoot)
		}
		if all := warning.Check(l, o, ancestry.Explanation{}, live); setuid != slices.ContainsFunc(all, func(o warning.Warning) bool { return o.Kind == warning.RunsAsRoot }) {
			t.Errorf("setuid %v: warnings %+v", setuid, all)
		}
	}
}

// playStuck listens with a backlog of one connection and accepts none.
func playStuck() child.Listening {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		child.Fail(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		child.Fail(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		child.Fail(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		child.Fail(err)
	}
	return child.Listening{Port: name.(*unix.SockaddrInet4).Port}
}

func TestFullAcceptQueue(t *testing.T) {
	c := child.Serve(t, "stuck")
	l := watch(t, c.Port, 20*time.Millisecond).one()
	s, err := source.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, want := range []bool{false, true} {
		states, err := s.Read(t.Context(), []*monitor.Listener{l})
		if st := states[l.ID]; err != nil || st.QueueFull() != want || !st.QueueKnown {
			t.Errorf("got %+v, %v; want a full queue: %v", st, err, want)
		}
		if want {
			break
		}
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", c.Port), timeout)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}

// Names, folders and files of other processes are hostile. They affect only their own
// listener, and are cleaned before they are shown.
func TestHostileProcesses(t *testing.T) {
	const evil = "a\n\x1b[31m\u202e<b>"              // 15 bytes, the maximum length of a name
	long := strings.Repeat("--x=\n\u202e<b>", 9<<10) // 99 KB
	gone, fifo, huge := filepath.Join(t.TempDir(), "gone\n\x1b[2J"), t.TempDir(), t.TempDir()
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(fifo, "package.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(huge, "package.json"), `{"name":"`)
	if err := os.Truncate(filepath.Join(huge, "package.json"), 1<<30); err != nil {
		t.Skipf("cannot create a sparse file: %v", err)
	}
	good := child.Serve(t, "listen", child.With("127.0.0.1:0"))
	begun := time.Now()
	snapshot(t, needMonitor(t, false, 0))
	baseline := time.Since(begun)
	ports := map[int]string{}
	for name, folder := range map[string]string{"gone": gone, "fifo": fifo, "huge": huge} {
		c := child.Serve(t, "listen", child.With("127.0.0.1:0"), func(c *exec.Cmd) {
			c.Path, c.Dir = program(t), folder
			c.Args[0] = evil
			c.Env = append(c.Env, child.NameVariable+"="+evil)
			c.Args = append(c.Args, "--")
			for range 19 { // the limit is 128 KB per argument, and 2 MB with the environment (execve(2), if the stack has 8 MB)
				c.Args = append(c.Args, long)
			}
		})
		ports[c.Port] = name
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	s := snapshot(t, needMonitor(t, false, 0))
	if took := time.Since(begun); took > 20*baseline+time.Second { // reading a gigabyte takes longer, and opening a FIFO blocks
		t.Errorf("a scan took %v, and %v without them", took, baseline)
	}
	if got, want := format(onPort(s, good.Port)), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", good.PID); got != want {
		t.Errorf("normal process: got %s, want %s", got, want)
	}
	for port, name := range ports {
		rows := onPort(s, port)
		if len(rows) != 1 || len(rows[0].Owners) != 1 {
			t.Errorf("%s: %s", name, format(rows))
			continue
		}
		why, _ := explain(t, rows[0])
		words := []string{why.Sentence().String(), why.Chain[len(why.Chain)-1].Name}
		for _, warning := range warning.Check(rows[0], rows[0].Owners[0], why, process.State(rows[0].Owners[0])) {
			words = append(words, warning.Sentence(why).String())
		}
		for _, w := range words {
			if w == "" || w != monitor.Clean(w, 400) || utf8.RuneCountInString(w) > 300 {
				t.Errorf("%s: %.80q is not clean", name, w)
			}
		}
	}
}

// A very long command line is truncated.
func TestLongCommandLine(t *testing.T) {
	c := child.Serve(t, "hold", func(c *exec.Cmd) {
		for range 18 { // the limit is 128 KB per argument, and 2 MB in all
			c.Args = append(c.Args, strings.Repeat("x\n", 50<<10))
		}
	})
	o, err := process.Info(c.PID)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, arg := range o.Command {
		total += len(arg)
	}
	if total > 32<<10 || len(o.Command) < 2 {
		t.Errorf("got %d bytes in %d arguments, want a truncated command", total, len(o.Command))
	}
	why := ancestry.Explain(monitor.Owner{PID: 1 << 30, Parents: []monitor.Parent{{PID: c.PID, Start: o.Start, Name: "sh", Command: o.Command}}}, monitor.CgroupInfo{}, process.State(o))
	if n := utf8.RuneCountInString(why.Sentence().String()); n > 200 {
		t.Errorf("the sentence has %d characters", n)
	}
}
