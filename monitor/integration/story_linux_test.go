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
	"porthole/monitor/warning"
)

// This file is the story of real processes: why they run, and what is odd.

// tell is what can be told of the only owner of a listener now.
func tell(t *testing.T, l *monitor.Listener) (ancestry.Explanation, []string) {
	t.Helper()
	o, _ := l.Principal()
	live := process.State(o)
	why := ancestry.Explain(o, l.CgroupInfo, live)
	var kinds []string
	for _, odd := range warning.Check(l, o, why, live) {
		if odd.Kind != warning.RunsAsRoot && odd.Kind != warning.UntrustedFolder { // whoever runs this test, and where go test builds
			kinds = append(kinds, string(odd.Kind))
		}
	}
	return why, kinds
}

// program is the test program by a path that a shell can run, outside /tmp.
func program(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shell starts a shell that reads from a pipe, as a terminal's does from there,
// and types line. The server that it starts says its port, holds its input and
// ends with the test.
func shell(t *testing.T, folder, line string) (c *exec.Cmd, port int) {
	t.Helper()
	c = exec.Command("sh")
	c.Dir, c.Stderr = folder, os.Stderr
	c.Env = childEnv(roleVariable+"=listen", "SERVER="+program(t))
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
		_ = c.Process.Kill() // the server ends with its input, this one may wait for more
		_ = c.Wait()
	})
	if _, err := fmt.Fprintln(in, line); err != nil {
		t.Fatal(err)
	}
	return c, portSaid(t, out)
}

func portSaid(t *testing.T, out io.Reader) int {
	t.Helper()
	var s said
	b, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil || json.Unmarshal(b, &s) != nil || s.Port == 0 {
		t.Fatalf("the server said %q, %v", b, err)
	}
	return s.Port
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// one waits until the monitor sees the port with its one owner, and returns it.
func (w *watcher) one() *monitor.Listener {
	w.Helper()
	w.see("the listener with its owner", func(s monitor.Snapshot) bool {
		rows := onPort(s, w.port)
		return len(rows) == 1 && len(rows[0].Owners) == 1
	})
	return onPort(w.now, w.port)[0]
}

// A shell runs npm, which runs the server in a shell of its own. Then the first
// shell is closed: the monitor, which saw it, knows that the server was left
// behind, though its parents of then are gone from the chain of now.
func TestAScriptChainAndItsShellThatCloses(t *testing.T) {
	if _, err := os.Stat("/bin/bash"); err != nil {
		t.Skip("needs bash, whose exec takes a name")
	}
	folder := t.TempDir()
	// npm is a node that calls itself so, in its name and its command line.
	write(t, filepath.Join(folder, "npm"), `#!/bin/bash
exec -a "npm run dev" /bin/bash -c 'printf "npm run dev" > /proc/$$/comm; sh -c "$SERVER 127.0.0.1:0; :"; :'
`)
	c, port := shell(t, folder, "./npm run dev")
	w := watch(t, port, 20*time.Millisecond)
	l := w.one()
	why, odd := tell(t, l)
	if got, want := why.Sentence(), "Started by npm run dev in sh"; !strings.HasPrefix(got, want) || why.Orphaned || len(odd) > 0 {
		t.Errorf("%q, odd %q; want %q and nothing odd", got, odd, want)
	}
	i := slices.IndexFunc(why.Chain, func(l ancestry.Process) bool { return l.PID == c.Process.Pid })
	if i < 0 || why.Chain[i].Role != ancestry.Shell || why.Chain[len(why.Chain)-1].PID != l.Owners[0].PID {
		t.Fatalf("chain %+v; want the shell %d in it and %d last", why.Chain, c.Process.Pid, l.Owners[0].PID)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Process.Wait() // Cmd's would take the server's input away
	w.look()
	why, odd = tell(t, w.one())
	if want := "Started by npm run dev, whose terminal has closed: it was left behind"; why.Sentence() != want || !slices.Equal(odd, []string{string(warning.Orphaned)}) {
		t.Errorf("%q, odd %q; want %q", why.Sentence(), odd, want)
	}
	if !why.Chain[i].Ended || why.Chain[len(why.Chain)-2].Ended {
		t.Errorf("chain %+v; want that %d has ended, and what runs the server has not", why.Chain, c.Process.Pid)
	}
}

func TestAShellScript(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "dev.sh"), "#!/bin/sh\n\"$SERVER\" 127.0.0.1:0\n:\n")
	_, port := shell(t, folder, "./dev.sh --fast")
	why, odd := tell(t, watch(t, port, 20*time.Millisecond).one())
	if got, want := why.Sentence(), "Started by dev.sh in sh"; !strings.HasPrefix(got, want) || len(odd) > 0 {
		t.Errorf("%q, odd %q; want %q", got, odd, want)
	}
}

// Nobody saw who started it: the leader of its session has ended, it belongs to
// init or a reaper now, and still has its terminal.
func TestAnOrphanOfATerminal(t *testing.T) {
	for name, c := range map[string]struct {
		then   string // what the shell does when the server runs
		orphan bool
	}{"its shell has ended": {"exit", true}, "its shell waits": {"wait", false}} {
		t.Run(name, func(t *testing.T) {
			port := inTerminal(t, `trap "" HUP; "$SERVER" 127.0.0.1:0 <&3 & `+c.then, c.orphan)
			why, odd := tell(t, watch(t, port, 20*time.Millisecond).one())
			if why.Orphaned != c.orphan || slices.Contains(odd, string(warning.Orphaned)) != c.orphan {
				t.Errorf("left behind %v, odd %q; want %v\nchain %+v", why.Orphaned, odd, c.orphan, why.Chain)
			}
		})
	}
}

// playReaper starts a server by a shell that ends at once: as one that systemd
// has for its user, it becomes the parent of what loses its own.
func playReaper() said {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fail(err)
	}
	c := exec.Command("sh", "-c", `"$SERVER" 127.0.0.1:0 <&3 &`)
	path, err := os.Executable()
	if err != nil {
		fail(err)
	}
	c.Env = childEnv(roleVariable+"=listen", nameVariable+"=", "SERVER="+path)
	c.ExtraFiles = []*os.File{os.Stdin}
	out, err := c.StdoutPipe()
	if err != nil {
		fail(err)
	}
	if err := c.Start(); err != nil {
		fail(err)
	}
	var s said
	if err := json.NewDecoder(out).Decode(&s); err != nil {
		fail(err)
	}
	if err := c.Wait(); err != nil {
		fail(err)
	}
	return said{Port: s.Port}
}

// A service's parent has ended on purpose: it is no orphan of a terminal.
func TestAnOrphanThatSystemdTook(t *testing.T) {
	c := begin(t, "reaper", func(c *exec.Cmd) {
		c.Path, c.Args = program(t), []string{"systemd", "--user"}
		c.Env = append(c.Env, nameVariable+"=systemd")
	})
	why, odd := tell(t, watch(t, c.Port, 20*time.Millisecond).one())
	if why.Orphaned || len(odd) > 0 {
		t.Errorf("%q, left behind %v, odd %q; want nothing odd", why.Sentence(), why.Orphaned, odd)
	}
	if i := len(why.Chain) - 2; i < 0 || why.Chain[i].PID != c.pid || why.Chain[i].Role != ancestry.System || why.Chain[i].Title != "systemd of the user" {
		t.Errorf("chain %+v; want %d, the user's systemd, before its last", why.Chain, c.pid)
	}
}

// inTerminal lets a shell that leads the session of a terminal do script, in
// which descriptor 3 is the server's life. ends says that the shell does.
func inTerminal(t *testing.T, script string, ends bool) (port int) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
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
		t.Skipf("no terminals here: %v", err)
	}
	defer slave.Close()
	life, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer life.Close()
	c := exec.Command("sh", "-c", script)
	c.Env = childEnv(roleVariable+"=listen", "SERVER="+program(t))
	c.Stdin, c.Stderr, c.ExtraFiles = slave, slave, []*os.File{life}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	port = portSaid(t, out)
	end := func() { _ = c.Wait() } // the leader of a session that is given up may be hung up on
	if ends {
		end()
		end = func() {}
	}
	t.Cleanup(func() { _ = keep.Close(); end() })
	return port
}

func TestAProgramThatWasDeletedOrReplaced(t *testing.T) {
	folder, err := os.MkdirTemp("/tmp", "porthole-place")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "server")
	copyTo(t, path)
	c := begin(t, "listen", with("127.0.0.1:0"), func(c *exec.Cmd) { c.Path = path })
	l := watch(t, c.Port, 20*time.Millisecond).one()
	why, odd := tell(t, l)
	if len(odd) > 0 {
		t.Errorf("odd %q; want nothing", odd)
	}
	if odd := warning.Check(l, l.Owners[0], why, monitor.ProcessState{}); !slices.Contains(odd, warning.Warning{Kind: warning.UntrustedFolder, Detail: "/tmp"}) {
		t.Errorf("odd %+v; want that it is in /tmp", odd)
	}
	copyTo(t, path+".new")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if _, odd := tell(t, l); !slices.Equal(odd, []string{string(warning.ProgramReplaced)}) {
		t.Errorf("odd %q; want that it was replaced too", odd)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, odd := tell(t, l); !slices.Contains(odd, string(warning.ProgramReplaced)) {
		t.Errorf("odd %q; want that it was deleted", odd)
	}
}

func TestAPreloadedLibrary(t *testing.T) {
	c := begin(t, "listen", with("127.0.0.1:0"), func(c *exec.Cmd) {
		c.Env = append(c.Env, "LD_PRELOAD=/nonexistent/x.so")
		c.Stderr = nil // the loader says that there is none
	})
	o, err := process.Info(c.pid)
	if err != nil {
		t.Fatal(err)
	}
	if got := process.State(o).Preload; got != "/nonexistent/x.so" {
		t.Errorf("preload %q", got)
	}
	o.Start++
	if got := process.State(o).Preload; got != "" {
		t.Errorf("of another process with that pid: %q", got)
	}
	mine, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if got := process.State(mine); got.Preload != os.Getenv("LD_PRELOAD") || got.RunsAsRoot != (os.Geteuid() == 0) {
		t.Errorf("of this process: %+v", got)
	}
}

// A setuid program acts as root whoever starts it, and its user is that one.
func TestASetuidProgramOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make a setuid program")
	}
	folder, err := os.MkdirTemp("", "porthole-setuid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "server")
	copyTo(t, path)
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
		c := begin(t, "listen", with("127.0.0.1:0"), asNobody, func(c *exec.Cmd) { c.Path = path })
		l := watch(t, c.Port, 20*time.Millisecond).one()
		o := l.Owners[0]
		live := process.State(o)
		if o.User != "nobody" || live.RunsAsRoot != setuid {
			t.Errorf("setuid %v: user %q, acts as root %v", setuid, o.User, live.RunsAsRoot)
		}
		if odd := warning.Check(l, o, ancestry.Explanation{}, live); setuid != slices.ContainsFunc(odd, func(o warning.Warning) bool { return o.Kind == warning.RunsAsRoot }) {
			t.Errorf("setuid %v: odd %+v", setuid, odd)
		}
	}
}

// playStuck listens with room for one connection and takes none.
func playStuck() said {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fail(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		fail(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		fail(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		fail(err)
	}
	return said{Port: name.(*unix.SockaddrInet4).Port}
}

func TestAServerThatIsStuck(t *testing.T) {
	c := begin(t, "stuck")
	l := watch(t, c.Port, 20*time.Millisecond).one()
	s, err := source.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, want := range []bool{false, true} {
		states, err := s.Read(t.Context(), []*monitor.Listener{l})
		if st := states[l.ID]; err != nil || st.QueueFull() != want || !st.QueueKnown {
			t.Errorf("%+v, %v; want stuck %v", st, err, want)
		}
		if want {
			break
		}
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", c.Port), patience)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}

// What a process calls itself, where it stands and what lies there comes from
// anyone. It changes nothing but its own row, and nothing of it is raw.
func TestHostileProcesses(t *testing.T) {
	const evil = "a\n\x1b[31m\u202e<b>"              // 15 bytes, as long as a name may be
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
		t.Skipf("no room for a file with a hole: %v", err)
	}
	good := begin(t, "listen", with("127.0.0.1:0"))
	begun := time.Now()
	snapshot(t, needMonitor(t, false, 0))
	calm := time.Since(begun)
	ports := map[int]string{}
	for name, folder := range map[string]string{"gone": gone, "fifo": fifo, "huge": huge} {
		c := begin(t, "listen", with("127.0.0.1:0"), func(c *exec.Cmd) {
			c.Path, c.Dir = program(t), folder
			c.Args[0] = evil
			c.Env = append(c.Env, nameVariable+"="+evil)
			c.Args = append(c.Args, "--")
			for range 19 { // an argument may have 128 KB, all together with the environment 2 MB (execve(2), where the stack has 8)
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
	if took := time.Since(begun); took > 20*calm+time.Second { // to read a gigabyte takes longer, and a FIFO for ever
		t.Errorf("one look took %v, and %v without them", took, calm)
	}
	if got, want := picture(onPort(s, good.Port)), fmt.Sprintf("tcp [127.0.0.1] loopback, 1 sockets of [%d]", good.pid); got != want {
		t.Errorf("the good one: %s; want %s", got, want)
	}
	for port, name := range ports {
		rows := onPort(s, port)
		if len(rows) != 1 || len(rows[0].Owners) != 1 {
			t.Errorf("%s: %s", name, picture(rows))
			continue
		}
		why, _ := tell(t, rows[0])
		words := []string{why.Sentence(), why.Chain[len(why.Chain)-1].Name}
		for _, odd := range warning.Check(rows[0], rows[0].Owners[0], why, process.State(rows[0].Owners[0])) {
			words = append(words, odd.Sentence(why))
		}
		for _, w := range words {
			if w == "" || w != monitor.Clean(w, 400) || utf8.RuneCountInString(w) > 300 {
				t.Errorf("%s: %.80q is not fit to be shown", name, w)
			}
		}
	}
}

// A very long command line is cut, and costs no more than that.
func TestAVeryLongCommandLine(t *testing.T) {
	c := begin(t, "hold", func(c *exec.Cmd) {
		for range 18 { // an argument may have 128 KB, all together 2 MB
			c.Args = append(c.Args, strings.Repeat("x\n", 50<<10))
		}
	})
	o, err := process.Info(c.pid)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, arg := range o.Command {
		total += len(arg)
	}
	if total > 32<<10 || len(o.Command) < 2 {
		t.Errorf("%d bytes in %d arguments are kept", total, len(o.Command))
	}
	why := ancestry.Explain(monitor.Owner{PID: 1 << 30, Parents: []monitor.Parent{{PID: c.pid, Start: o.Start, Name: "sh", Command: o.Command}}}, monitor.CgroupInfo{}, process.State(o))
	if n := utf8.RuneCountInString(why.Sentence()); n > 200 {
		t.Errorf("the sentence has %d characters", n)
	}
}
