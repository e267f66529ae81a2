package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"porthole/e2e/desktop"
)

func TestSingleInstance(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	server := d.serve(d.program("shown"), "/", "127.0.0.1:20001")
	d.serve(d.program("other"), "/", "127.0.0.1:20002")
	agent := d.start("--hidden")
	item := d.item(agent)

	// A second start with --hidden does nothing.
	d.wantStatus(d.start("--hidden"), 0)
	if pid := windowPID(agent); pid != 0 {
		t.Errorf("a second start with --hidden opened the window, process %d; want none", pid)
	}

	// show opens the window at a port, and moves an open window there.
	d.showsPort(agent, server, "shown")
	d.showsPort(agent, server, "shown")
	if items, err := d.tray.Items(d.step()); err != nil || len(items) != 1 || items[0].PID != item.PID {
		t.Errorf("got tray items %+v, %v; want the one of the first start", items, err)
	}
	for _, bad := range [][]string{{"show"}, {"show", "70000"}, {"show", "1-9"}, {"show", "1", "2"}} {
		p := d.start(bad...)
		d.wantStatus(p, 2)
		if strings.Count(p.out.String(), "\n") != 1 {
			t.Errorf("%q: got %q; want one line", bad, p.out.String())
		}
	}
	d.quit(agent)
	none := d.start("quit")
	d.wantStatus(none, 1)
	if !strings.Contains(none.out.String(), cliNotRunning) {
		t.Errorf("quit without a running Porthole printed %q; want %q in it", none.out.String(), cliNotRunning)
	}

	// show starts an agent. A start after a killed agent replaces its socket.
	agent = d.start("show", "20001")
	d.item(agent)
	d.opensProcess(d.mainWindow(), server, "shown")
	d.quit(agent)
	killed := d.start("--hidden")
	d.item(killed)
	d.do("kill it", syscall.Kill(killed.pid(), syscall.SIGKILL))
	<-killed.ended
	if _, err := os.Stat(d.runtimePath("porthole", "agent.sock")); err != nil {
		t.Fatalf("a killed agent left no socket: %v; want one that the next start replaces", err)
	}
	agent = d.start("--hidden")
	d.item(agent)
	d.waitAnswers(agent)
	for path, want := range map[string]os.FileMode{
		d.runtimePath("porthole"):               os.ModeDir | 0o700,
		d.runtimePath("porthole", "agent.sock"): os.ModeSocket | 0o600,
		d.statePath("agent.lock"):               0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// showsPort runs porthole show and checks that the window selects the server's row.
func (d *desk) showsPort(agent *process, s *server, name string) {
	d.t.Helper()
	show := d.start("show", "20001")
	d.wantStatus(show, 0)
	d.opensProcess(d.mainWindow(), s, name)
	if windowPID(agent) == 0 {
		d.t.Error("the window belongs to another process; want the agent's")
	}
}

// opensProcess opens the process of the selected row.
func (d *desk) opensProcess(w desktop.Window, s *server, name string) {
	d.t.Helper()
	d.steady(w)
	d.opens("Enter", s, name, func() error { return w.Key("Return") })
}

// nobody is the ID of a user that every Debian has.
const nobody = 65534

// Two users without runtime folders use the same temporary folder and stay apart.
func TestTwoUsers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start processes of another user")
	}
	d := startDesk(t, desktop.DefaultOptions())
	dir, err := os.MkdirTemp("", "users-") // only root can enter t.TempDir()
	d.do("create a folder", err)
	t.Cleanup(func() { d.Stop(); _ = os.RemoveAll(dir) })
	temp, home, bin := filepath.Join(dir, "tmp"), filepath.Join(dir, "home"), filepath.Join(dir, "porthole")
	d.do("open it to all users", os.Chmod(dir, 0o755))
	d.do("create the temporary folder", errors.Join(os.Mkdir(temp, 0o777), os.Chmod(temp, 0o777|os.ModeSticky)))
	d.do("create the other user's home", errors.Join(os.Mkdir(home, 0o700), os.Chown(home, nobody, nobody)))
	d.install(bin)
	other := func(program string, args ...string) *process {
		bus := "DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(home, "bus")
		env := []string{"HOME=" + home, "XDG_RUNTIME_DIR=", "TMPDIR=" + temp, "DISPLAY=", bus,
			"GORACE=exitcode=0 log_path=" + filepath.Join(home, "race")} // the other user cannot write to the test's folder
		for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
			env = append(env, name+"="+home)
		}
		return d.run("setpriv", env, append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", program}, args...)...)
	}
	mine := []string{"XDG_RUNTIME_DIR=", "TMPDIR=" + temp}

	// A runtime folder that another user created is not used.
	folder := filepath.Join(temp, "porthole-0")
	d.do("create the folder", errors.Join(os.Mkdir(folder, 0o777), os.Chown(folder, nobody, nobody)))
	refused := d.startWith(mine, "--hidden")
	d.wantStatus(refused, 1)
	if out := refused.out.String(); strings.Count(out, "\n") != 1 || !strings.Contains(out, cliNotYourDir) {
		t.Errorf("got %q; want one line with %q in it", out, cliNotYourDir)
	}
	d.do("remove the folder", os.Remove(folder))

	first := d.startWith(mine, "--hidden")
	d.item(first)
	other("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+filepath.Join(home, "bus"))
	d.eventually("the other user's bus", func() error {
		c, err := net.Dial("unix", filepath.Join(home, "bus"))
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	second := other(bin, "--hidden")
	socket := filepath.Join(temp, fmt.Sprintf("porthole-%d", nobody), "agent.sock")
	d.eventually("the other user's agent", func() error { _, err := os.Stat(socket); return err })
	d.wantStatus(d.startWith(mine, "--hidden"), 0)
	list := other("ls", folder)
	if d.wait(list); !strings.Contains(list.out.String(), "ermission denied") {
		t.Errorf("the other user lists root's folder: %s; want \"Permission denied\"", list.out.String())
	}

	// Root may open the socket of any user. The agent refuses it because of its user
	// ID.
	c, err := net.Dial("unix", socket)
	d.do("connect to the other user's agent", err)
	defer c.Close()
	_, _ = io.WriteString(c, `{"kind":"quit"}`+"\n") // it may have closed the connection
	if answer, err := io.ReadAll(c); len(answer) > 0 {
		t.Errorf("another user got the answer %q, %v; want none", answer, err)
	}
	d.eventually("the other user's log", func() error {
		b, err := os.ReadFile(filepath.Join(home, "porthole", logFile))
		if err == nil && !strings.Contains(string(b), logOtherUser) {
			err = fmt.Errorf("got %q; want %q in it", b, logOtherUser)
		}
		return err
	})

	// Each user ends only their own agent.
	d.wantStatus(other(bin, "--hidden"), 0)
	d.wantStatus(other(bin, "quit"), 0)
	d.wantStatus(second, 0)
	d.wantStatus(d.startWith(mine, "--hidden"), 0)
	if !alive(first.pid()) {
		t.Error("root's agent ended with the other user's")
	}
	d.wantStatus(d.startWith(mine, "quit"), 0)
	d.wantStatus(first, 0)
}

// install copies the program to path, in one step, as a package manager does.
func (d *desk) install(path string) {
	d.t.Helper()
	b, err := os.ReadFile(d.bin)
	d.do("read the program", err)
	d.do("install it", errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path+".new", b, 0o755), os.Rename(path+".new", path)))
}
