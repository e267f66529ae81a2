package owner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

// beginInCgroup starts a listener in a new control group of that name, and returns the
// group's folder too.
func beginInCgroup(t *testing.T, name string) (child.Server, string) {
	t.Helper()
	return beginRoleInCgroup(t, name, "listen", func(*exec.Cmd) {})
}

// beginRoleInCgroup is beginInCgroup for another role.
func beginRoleInCgroup(t *testing.T, name, role string, change func(*exec.Cmd)) (child.Server, string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	folder := fmt.Sprintf("%s/%s", cgroupMount(mounts), name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Skipf("needs root and cgroup2: %v", err)
	}
	t.Cleanup(func() { // possible a moment after its processes have exited
		for end := time.Now().Add(10 * time.Second); os.Remove(folder) != nil && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
	})
	fd, err := os.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	return child.Serve(t, role, func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(fd.Fd())}
		change(c)
	}), folder
}

// searchAsNobody returns what user nobody sees of the socket.
func searchAsNobody(t *testing.T, inode uint64) (seen searched) {
	t.Helper()
	child.Begin(t, "searcher", &seen, child.With(fmt.Sprint(inode)), child.AsNobody)
	return seen
}

// User nobody sees the unit of a listener of root, and its process as long as it is the
// only one in the unit.
func TestUnitOfAnotherUser(t *testing.T) {
	unit := fmt.Sprintf("porthole-test-%d.service", os.Getpid())
	c, folder := beginInCgroup(t, unit)
	want := searched{Listed: true, Port: c.Port, User: "root", Unknown: monitor.UnknownForeign, Unit: unit, Inferred: c.PID}
	if got := searchAsNobody(t, c.Inode); got != want {
		t.Errorf("only process of its unit: got %+v, want %+v", got, want)
	}
	second := child.Serve(t, "listen")
	if err := os.WriteFile(folder+"/cgroup.procs", fmt.Append(nil, second.PID), 0o600); err != nil {
		t.Fatal(err)
	}
	want.Inferred = 0
	if got := searchAsNobody(t, c.Inode); got != want {
		t.Errorf("one of two processes of its unit: got %+v, want %+v", got, want)
	}
}

// The user of a login sees which process of sshd forwards a port, although the user
// may not read what it holds.
func TestForwardOfSSHSession(t *testing.T) {
	for title, inferred := range map[string]bool{"sshd: nobody@pts/0": true, "sshd-session: nobody": true, "sshd: nobody [priv]": false, "ssh-agent": false} {
		unit := fmt.Sprintf("session-porthole%d.scope", os.Getpid())
		t.Run(title, func(t *testing.T) {
			c, folder := beginRoleInCgroup(t, unit, "unreadable", func(c *exec.Cmd) {
				c.Args[0] = title
				child.AsNobody(c)
			})
			other := child.Serve(t, "listen") // a scope contains many programs
			if err := os.WriteFile(folder+"/cgroup.procs", fmt.Append(nil, other.PID), 0o600); err != nil {
				t.Fatal(err)
			}
			want := searched{Listed: true, Port: c.Port, User: "nobody", Unknown: monitor.UnknownProtected, Unit: unit}
			if inferred {
				want.Inferred, want.Unknown = c.PID, monitor.UnknownRemoteForward
			}
			if got := searchAsNobody(t, c.Inode); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Of the processes in a unit that its user may not read, the only one holds the socket
// that none of the others holds. In the unit of sshd, any of several logins may.
func TestProtectedProcessOfAUnit(t *testing.T) {
	titled := func(title string) func(*exec.Cmd) {
		return func(c *exec.Cmd) {
			c.Args[0] = title
			child.AsNobody(c)
		}
	}
	for _, test := range []struct {
		name, title, other string // the titles of the holder and of another protected process
		reason             string
		inferred, hasUnit  bool
	}{
		{"the only one", "server", "", monitor.UnknownProtected, true, true},
		{"one of two", "server", "other", monitor.UnknownProtected, false, true},
		{"a login or a server", "server", "sshd: nobody", monitor.UnknownProtected, false, true},
		{"a login", "sshd: nobody", "", monitor.UnknownRemoteForward, true, false},
		{"one of two logins", "sshd: nobody", "sshd: nobody@pts/0", monitor.UnknownRemoteForward, false, false},
	} {
		unit := fmt.Sprintf("porthole-test-%d.service", os.Getpid())
		t.Run(test.name, func(t *testing.T) {
			c, folder := beginRoleInCgroup(t, unit, "unreadable", titled(test.title))
			others := []child.Server{child.Serve(t, "listen", child.AsNobody)}
			if test.other != "" {
				others = append(others, child.Serve(t, "unreadable", titled(test.other)))
			}
			for _, other := range others {
				if err := os.WriteFile(folder+"/cgroup.procs", fmt.Append(nil, other.PID), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want := searched{Listed: true, Port: c.Port, User: "nobody", Unknown: test.reason}
			if test.inferred {
				want.Inferred = c.PID
			}
			if test.hasUnit {
				want.Unit = unit
			}
			if got := searchAsNobody(t, c.Inode); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestSocketHasCgroupOfItsCreator(t *testing.T) {
	c, folder := beginInCgroup(t, fmt.Sprintf("porthole-test-%d.scope", os.Getpid()))
	var stat unix.Stat_t
	if err := unix.Stat(folder, &stat); err != nil {
		t.Fatal(err)
	}
	if s := socketOf(t, c.Inode); s.Cgroup != stat.Ino {
		t.Errorf("Cgroup = %d, want %d", s.Cgroup, stat.Ino)
	}
}

func TestUnitAndContainerOf(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for _, test := range []struct{ path, unit, container string }{
		{"", "", ""},
		{"/", "", ""},
		{"/system.slice/cups.service", "cups.service", ""},
		{"/user.slice/user-1000.slice/session-2.scope", "session-2.scope", ""},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/app-shop.service", "app-shop.service", ""},
		{"/system.slice/cups.service/deeper", "cups.service", ""},
		{"/system.slice", "", ""},
		{"/system.slice/gpsd.socket", "gpsd.socket", ""},
		{"/docker/" + id, "", id},
		{"/docker/" + id + "/init", "", id},
		{"/system.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
		{"/machine.slice/libpod-" + id + ".scope/container", "libpod-" + id + ".scope", id},
		{"/kubepods.slice/cri-containerd-" + id + ".scope", "cri-containerd-" + id + ".scope", id},
		{"/docker/" + id[1:], "", ""},
		{"/docker/0" + id, "", ""},
		{"relative.service", "relative.service", ""},
	} {
		if unit, container := unitOf(test.path), containerOf(test.path); unit != test.unit || container != test.container {
			t.Errorf("%q: unit %q, container %q; want %q, %q", test.path, unit, container, test.unit, test.container)
		}
	}
}

func TestCgroupMount(t *testing.T) {
	for _, test := range []struct{ mounts, want string }{
		{"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup"},
		{"29 23 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n30 29 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/unified"},
		{"30 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "-"},
		{"x - cgroup2 y\n", "-"},
		{"", "-"},
	} {
		if got := cgroupMount([]byte(test.mounts)); got != test.want {
			t.Errorf("%q: %q, want %q", test.mounts, got, test.want)
		}
	}
}

// Root is shown the unit of a visible owner too.
func TestUnitOfVisibleOwner(t *testing.T) {
	unit := fmt.Sprintf("porthole-visible-%d.service", os.Getpid())
	c, folder := beginInCgroup(t, unit)
	f := New()
	if o := holders(t, f, socketOf(t, c.Inode))[c.PID].Owner; o.Unit != unit {
		t.Errorf("got the unit %q, want %q", o.Unit, unit)
	}
	if err := os.WriteFile(strings.TrimSuffix(folder, unit)+"cgroup.procs", fmt.Append(nil, c.PID), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := holders(t, f, socketOf(t, c.Inode))[c.PID].Owner; o.Unit != unit {
		t.Errorf("after a move: got the unit %q, want that of when it was first seen, %q", o.Unit, unit)
	}
}

func TestUnitOfProcess(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]string{
		"0::/system.slice/nginx.service\n":                                         "nginx.service",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n": "web.service",
		"0::/user.slice/user-1000.slice/session-2.scope\n":                         "session-2.scope",
		"0::/system.slice/docker-" + id + ".scope\n":                               "",
		"0::/system.slice/docker.service/docker/" + id + "\n":                      "",
	} {
		if got := parseCgroup([]byte(text)).unitOfProcess(); got != want {
			t.Errorf("%q: got the unit %q, want %q", text, got, want)
		}
	}
}

// systemd creates the socket of a socket unit in the cgroup of that unit, and holds it
// itself. A user sees the unit too, and the service as soon as it runs.
func TestSocketUnit(t *testing.T) {
	name := fmt.Sprintf("porthole-socket-%d", os.Getpid())
	c, folder := beginRoleInCgroup(t, name+".socket", "listen", child.Running(child.Copy(t, "systemd")))
	s := socketOf(t, c.Inode)
	f := New()
	if o := holders(t, f, s)[c.PID].Owner; o.Unit != name+".socket" {
		t.Errorf("got the unit %q, want %s.socket", o.Unit, name)
	}
	if err := os.WriteFile(filepath.Dir(folder)+"/cgroup.procs", fmt.Append(nil, c.PID), 0o600); err != nil { // systemd is not in its units
		t.Fatal(err)
	}
	if o := holders(t, New(), s)[c.PID].Owner; o.Unit != name+".socket" {
		t.Errorf("systemd outside of the unit: got the unit %q, want %s.socket", o.Unit, name)
	}
	want := searched{Listed: true, Port: c.Port, User: "root", Unknown: monitor.UnknownForeign, Unit: name + ".socket"}
	if got := searchAsNobody(t, c.Inode); got != want {
		t.Errorf("before the service starts: got %+v, want %+v", got, want)
	}
	service, _ := beginInCgroup(t, name+".service")
	want.Unit, want.Inferred = name+".service", service.PID
	if got := searchAsNobody(t, c.Inode); got != want {
		t.Errorf("after the service started: got %+v, want %+v", got, want)
	}
}
