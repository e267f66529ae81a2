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

func TestThereIsOnePorthole(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	server := d.serve(d.program("shown"), "/", "127.0.0.1:20001")
	d.serve(d.program("other"), "/", "127.0.0.1:20002")
	agent := d.start("--hidden")
	item := d.item(agent)

	// A second start that is to be hidden does nothing.
	d.wantStatus(d.start("--hidden"), 0)
	if pid := windowPID(agent); pid != 0 {
		t.Errorf("a second hidden start has opened the window, process %d", pid)
	}

	// show brings the window, and an open one, to its port.
	d.showsPort(agent, server, "shown")
	d.showsPort(agent, server, "shown")
	if items, err := d.tray.Items(d.step()); err != nil || len(items) != 1 || items[0].PID != item.PID {
		t.Errorf("tray items %+v, %v; want the first one's alone", items, err)
	}
	for _, bad := range [][]string{{"show"}, {"show", "70000"}, {"show", "1-9"}, {"show", "1", "2"}} {
		p := d.start(bad...)
		d.wantStatus(p, 2)
		if strings.Count(p.out.String(), "\n") != 1 {
			t.Errorf("%q: it says %q; want one line", bad, p.out.String())
		}
	}
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)
	none := d.start("quit")
	d.wantStatus(none, 1)
	if !strings.Contains(none.out.String(), "not running") {
		t.Errorf("quit without a Porthole says %q", none.out.String())
	}

	// show starts one; and the next start takes over what a killed one left.
	agent = d.start("show", "20001")
	d.item(agent)
	d.opensProcess(d.window("Porthole"), server, "shown")
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)
	killed := d.start("--hidden")
	d.item(killed)
	d.do("kill it", syscall.Kill(killed.pid(), syscall.SIGKILL))
	<-killed.ended
	if _, err := os.Stat(d.runtime("porthole", "agent.sock")); err != nil {
		t.Fatalf("a killed agent leaves no socket: %v; there is nothing to be taken over", err)
	}
	agent = d.start("--hidden")
	d.item(agent)
	d.answers(agent)
	for path, want := range map[string]os.FileMode{
		d.runtime("porthole"):               os.ModeDir | 0o700,
		d.runtime("porthole", "agent.sock"): os.ModeSocket | 0o600,
		d.runtime("porthole", "agent.lock"): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// showsPort lets porthole show the port of a server.
func (d *desk) showsPort(agent *process, s *server, name string) {
	d.t.Helper()
	show := d.start("show", "20001")
	d.wantStatus(show, 0)
	d.opensProcess(d.window("Porthole"), s, name)
	if windowPID(agent) == 0 {
		d.t.Error("the window is not the agent's")
	}
}

// opensProcess opens the process of the row that the window is at.
func (d *desk) opensProcess(w desktop.Window, s *server, name string) {
	d.t.Helper()
	d.steady(w)
	d.opens("Enter", s, name, func() error { return w.Key("Return") })
}

// runtime is a path in the desktop's runtime folder.
func (d *desk) runtime(names ...string) string {
	return filepath.Join(append([]string{d.Dir(), "runtime"}, names...)...)
}

// nobody is a user that every Debian has.
const nobody = 65534

// Two users of one machine who have no runtime folders of their own share the
// temp folder, and do not meet there.
func TestTwoUsersDoNotMeet(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be two users")
	}
	d := boot(t, desktop.DefaultOptions())
	dir, err := os.MkdirTemp("", "users-") // a test's own temp folder is in one of root's alone
	d.do("make a folder", err)
	t.Cleanup(func() { d.Stop(); _ = os.RemoveAll(dir) })
	temp, home, bin := filepath.Join(dir, "tmp"), filepath.Join(dir, "home"), filepath.Join(dir, "porthole")
	d.do("share it", os.Chmod(dir, 0o755))
	d.do("share a temp folder", errors.Join(os.Mkdir(temp, 0o777), os.Chmod(temp, 0o777|os.ModeSticky)))
	d.do("give the other a home", errors.Join(os.Mkdir(home, 0o700), os.Chown(home, nobody, nobody)))
	d.install(bin)
	other := func(program string, args ...string) *process {
		bus := "DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(home, "bus")
		env := []string{"HOME=" + home, "XDG_RUNTIME_DIR=", "TMPDIR=" + temp, "DISPLAY=", bus,
			"GORACE=exitcode=0 log_path=" + filepath.Join(home, "race")} // the test's own folder is closed to the other
		for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
			env = append(env, name+"="+home)
		}
		return d.run("setpriv", env, append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", program}, args...)...)
	}
	mine := []string{"XDG_RUNTIME_DIR=", "TMPDIR=" + temp}

	// What another user has made in my place's stead is not used.
	place := filepath.Join(temp, "porthole-0")
	d.do("take the place", errors.Join(os.Mkdir(place, 0o777), os.Chown(place, nobody, nobody)))
	refused := d.startWith(mine, "--hidden")
	d.wantStatus(refused, 1)
	if out := refused.out.String(); strings.Count(out, "\n") != 1 || !strings.Contains(out, "not a folder that belongs to you") {
		t.Errorf("it says %q; want one line that says why", out)
	}
	d.do("leave it", os.Remove(place))

	first := d.startWith(mine, "--hidden")
	d.item(first)
	other("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+filepath.Join(home, "bus"))
	d.eventually("the other's bus", func() error {
		c, err := net.Dial("unix", filepath.Join(home, "bus"))
		if err == nil {
			_ = c.Close() // it was there
		}
		return err
	})
	second := other(bin, "--hidden")
	socket := filepath.Join(temp, fmt.Sprintf("porthole-%d", nobody), "agent.sock")
	d.eventually("the other's agent", func() error { _, err := os.Stat(socket); return err })
	d.wantStatus(d.startWith(mine, "--hidden"), 0)
	look := other("ls", place)
	if d.wait(look); !strings.Contains(look.out.String(), "ermission denied") {
		t.Errorf("the other looks into my folder: %s", look.out.String())
	}

	// Root may open every file. It is refused for who it is.
	c, err := net.Dial("unix", socket)
	d.do("connect to the other's agent", err)
	defer c.Close()
	_, _ = io.WriteString(c, `{"kind":"quit"}`+"\n") // it may have hung up by now
	if answer, err := io.ReadAll(c); len(answer) > 0 {
		t.Errorf("another user is answered %q, %v", answer, err)
	}
	d.eventually("the other's log", func() error {
		b, err := os.ReadFile(filepath.Join(home, "porthole", "porthole.log"))
		if err == nil && !strings.Contains(string(b), "it runs as user 0, the agent as user") {
			err = fmt.Errorf("it says %q", b)
		}
		return err
	})

	// Each ends its own.
	d.wantStatus(other(bin, "--hidden"), 0)
	d.wantStatus(other(bin, "quit"), 0)
	d.wantStatus(second, 0)
	d.wantStatus(d.startWith(mine, "--hidden"), 0)
	if !alive(first.pid()) {
		t.Error("mine has ended with the other's")
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
