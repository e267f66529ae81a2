package container

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/process/child"
)

// A response of Podman 4.3, reduced to the fields that are read: it shows no
// address for a port that is published on all of them.
const podmanRunning = `[{"Id":"` + webID + `","Names":["/web"],"Image":"localhost/web:1","Ports":[{"IP":"","PrivatePort":80,"PublicPort":8090,"Type":"tcp"},
	{"IP":"10.7.0.1","PrivatePort":80,"PublicPort":8091,"Type":"tcp"}]},
	{"Id":"` + dbID + `","Names":["/db"],"Image":"localhost/db:1","Ports":[{"IP":"127.0.0.1","PrivatePort":80,"PublicPort":8091,"Type":"tcp"}]}]`

func forwarder(address string, port uint16, program string, command ...string) *monitor.Listener {
	l := listenerAt(address, port)
	l.Owners = []monitor.Owner{{PID: 1 << 22, Start: 1, Name: program, User: "dana", Program: "/usr/bin/" + program, Command: append([]string{program}, command...)}}
	return l
}

func TestForwarders(t *testing.T) {
	for _, test := range []struct {
		name   string
		l      *monitor.Listener
		engine bool
		want   string // service and certainty
	}{
		{"dockerd without docker-proxy", forwarder("127.0.0.1", 8091, "dockerd"), true, "container db (image localhost/db:1)|program"},
		{"the other container on that port", forwarder("10.7.0.1", 8091, "dockerd"), true, "container web (image localhost/web:1)|program"},
		{"dockerd's own API", forwarder("127.0.0.1", 2375, "dockerd"), true, "|"},
		{"dockerd, and the engine does not answer", forwarder("127.0.0.1", 8091, "dockerd"), false, "|"},
		{"rootlesskit", forwarder("127.0.0.1", 8091, "rootlesskit"), true, "container db (image localhost/db:1)|program"},
		{"rootlesskit on all addresses", forwarder("::", 8090, "rootlesskit"), true, "container web (image localhost/web:1)|program"},
		{"rootlessport", forwarder("0.0.0.0", 8090, "rootlessport"), true, "container web (image localhost/web:1)|program"},
		{"rootlessport without an engine", forwarder("0.0.0.0", 8090, "rootlessport"), false, "a container|program"},
		{"slirp4netns", forwarder("0.0.0.0", 8090, "slirp4netns"), true, "container web (image localhost/web:1)|program"},
		{"slirp4netns of Podman 4.3", forwarder("127.0.0.1", 8099, "slirp4netns", "--disable-host-loopback", "-c", "-e", "3", "-r", "4", "--api-socket", "/run/user/4242/libpod/tmp/"+dbID+".net", "--netns-type=path", "/run/user/4242/netns/netns-1", "tap0"), true, "container db (image localhost/db:1)|program"},
		{"pasta of a container", forwarder("::", 8090, "pasta.avx2", "--config-net", "-t", "8090-8090:80-80", "--netns", "/run/user/1000/netns/netns-1"), true, "container web (image localhost/web:1)|program"},
		{"pasta that a person started", forwarder("::", 8090, "pasta.avx2", "-f", "-t", "8090"), true, "|"},
		{"conmon", forwarder("0.0.0.0", 8092, "conmon", "--api-version", "1", "-c", dbID, "-u", dbID, "-r", "/usr/bin/crun", "-n", "db"), true, "container db (image localhost/db:1)|program"},
		{"conmon without an engine", forwarder("0.0.0.0", 8092, "conmon", "--api-version", "1", "-c", dbID, "-n", "db"), false, "container db|program"},
		{"conmon with nonsense", forwarder("0.0.0.0", 8092, "conmon", "-c", "\x1b[31m", "-n"), false, "a container|program"},
		{"another program", forwarder("0.0.0.0", 8090, "nginx"), true, "|"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := engine(t, respondWith(podmanRunning))
			if !test.engine {
				r.engines.sockets = nil
			}
			r.Resolve(t.Context(), test.l)
			got := test.l.Service + "|" + string(test.l.ServiceBy)
			if got != test.want {
				t.Errorf("got %q, %+v; want %q", got, test.l.Container, test.want)
			}
			if c := test.l.Container; c != nil && (!c.Published || test.engine && c.Socket != r.engines.sockets[1]) {
				t.Errorf("got %+v, want it published, and the engine's socket", c)
			}
		})
	}
}

// Without systemd, rootless Podman makes no control group for a container: only its
// monitor names it. The command line is that of Podman 4.3.
func TestContainerByItsMonitor(t *testing.T) {
	for _, answers := range []bool{true, false} {
		r, _ := engine(t, respondWith(podmanRunning))
		want := "container db (image localhost/db:1)"
		if !answers {
			r.engines.sockets, want = nil, "container db"
		}
		l := listenerAt("127.0.0.1", 8092)
		l.Owners = []monitor.Owner{{PID: 1 << 22, Start: 1, Name: "serve", User: "dana", Program: "/serve",
			Parents: []monitor.Parent{{PID: 166, Start: 1, Name: "conmon", Command: []string{"/usr/bin/conmon", "--api-version", "1", "-c", dbID, "-u", dbID, "-r", "/usr/bin/runc", "-n", "db"}}}}}
		r.Resolve(t.Context(), l)
		if l.Container == nil || l.Container.ID != dbID || l.Container.Published || !answers && l.Container.Engine != podmanEngine || l.Container.Description() != want {
			t.Errorf("the engine answers %t: got %+v, want %s", answers, l.Container, want)
		}
	}
}

// One process of the engine listens for several containers: the answer for one of
// its ports must not be taken for another's.
func TestDescribeAsksForEachPortOfAnEngine(t *testing.T) {
	r, _ := engine(t, respondWith(podmanRunning))
	first, second := forwarder("127.0.0.1", 8091, "dockerd"), forwarder("0.0.0.0", 8090, "dockerd")
	r.Describe(first)
	r.Describe(second)
	if _, more := r.resolvePending(t.Context()); !more {
		t.Fatal("no container was found")
	}
	r.Describe(first)
	r.Describe(second)
	if first.Service != "container db (image localhost/db:1)" || second.Service != "container web (image localhost/web:1)" {
		t.Errorf("got %q and %q, want db and web", first.Service, second.Service)
	}
}

// As root in another PID namespace than docker-proxy, or for a forwarder that is
// protected from its own user, the owner is unknown, but the engine knows the
// container.
func TestEngineKnowsContainerOfUnknownOwner(t *testing.T) {
	for _, user := range []string{"root", "dana"} {
		l := listenerAt("127.0.0.1", 8080)
		l.User, l.OwnerUnknown = user, monitor.UnknownNotFound
		r, _ := engine(t, respondWith(running))
		r.Resolve(t.Context(), l)
		if l.Container == nil || l.Container.Name != "web" || !l.Container.Published {
			t.Errorf("a socket of %s: got %+v, want the container web", user, l.Container)
		}
	}
}

// systemd listens on the sockets of Docker and Podman and starts the engine at the
// first connection. Nothing may connect before the engine runs.
func TestSocketActivatedEngineIsNotStarted(t *testing.T) {
	l := ownerUnknownListener("127.0.0.1", 8080, "root", "")
	r, requests := engine(t, respondWith(running))
	path := r.engines.sockets[1]
	if !engineRuns(path) {
		t.Error("an engine that holds its socket: got not running")
	}
	r.Resolve(t.Context(), l)
	if requests.Load() != 1 || l.Container == nil {
		t.Fatalf("an engine that runs: got %d requests, %+v; want one", requests.Load(), l.Container)
	}
	if os.Geteuid() != 0 {
		return
	}
	// The same socket in a process that is called systemd.
	activated, connected := startAs(t, "systemd")
	r = New()
	r.engines.sockets = []string{activated}
	l = ownerUnknownListener("127.0.0.1", 8080, "root", "")
	for range 3 {
		r.Resolve(t.Context(), l)
	}
	if engineRuns(activated) || connected() || l.Container != nil {
		t.Errorf("a socket that systemd holds: running %t, connected %t, container %+v; want false, false and no container", engineRuns(activated), connected(), l.Container)
	}
	served, connected := startAs(t, "engine")
	r = New()
	r.engines.sockets = []string{served}
	r.Resolve(t.Context(), l)
	if !engineRuns(served) || !connected() {
		t.Errorf("a socket of another program: running %t, connected %t; want true and true", engineRuns(served), connected())
	}
}

func TestMain(m *testing.M) {
	child.Main(m, map[string]func(){"socket": listenUnix, "wait": child.Wait})
}

// listenUnix listens on the path in its argument and creates a file with the suffix
// ".connected" on each connection.
func listenUnix() {
	path := os.Args[1]
	ln, err := net.Listen("unix", path)
	if err != nil {
		os.Exit(1)
	}
	go func() {
		child.Wait()
		os.Exit(0)
	}()
	_, _ = os.Stdout.WriteString("ready\n")
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_ = os.WriteFile(path+".connected", nil, 0o600)
		_ = c.Close()
	}
}

// start runs c in a role until the test ends.
func start(t *testing.T, c *exec.Cmd, role string) *exec.Cmd {
	t.Helper()
	child.SetRole(c, role)
	child.StartVictim(t, c)
	return c
}

// startAs starts a program with that name that listens on a socket. connected
// reports whether anything connected to it.
func startAs(t *testing.T, name string) (path string, connected func() bool) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	start(t, exec.Command(child.Copy(t, name), path), "socket")
	await.Until(t, name+" listens", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	return path, func() bool {
		time.Sleep(50 * time.Millisecond) // a connection is accepted in less
		_, err := os.Stat(path + ".connected")
		return err == nil
	}
}

// rootlessport does not name its container. It shares a pipe with the conmon that
// does.
func TestRootlessportIsFoundThroughConmon(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	other := exec.Command(child.Copy(t, "conmon"), "-c", dbID, "-n", "other")
	start(t, other, "wait")
	port := exec.Command(child.Copy(t, "rootlessport"))
	port.ExtraFiles = []*os.File{r}
	start(t, port, "wait")
	monitorOfWeb := exec.Command(child.Copy(t, "conmon"), "--api-version", "1", "-c", webID, "-u", webID, "-n", "web")
	monitorOfWeb.ExtraFiles = []*os.File{w}
	start(t, monitorOfWeb, "wait")
	_ = w.Close()
	var got string
	await.Until(t, "the children run their programs", func() bool {
		got = strings.Join(conmonOf(port.Process.Pid), " ")
		return got != ""
	})
	if !strings.Contains(got, "-n web") {
		t.Errorf("conmonOf: got %q, want the one of web", got)
	}
	l := forwarder("0.0.0.0", 8090, "rootlessport")
	l.Owners[0].PID = port.Process.Pid
	resolver := New()
	resolver.engines.sockets = nil
	resolver.Resolve(t.Context(), l)
	if c := l.Container; c == nil || c.Name != "web" || c.ID != webID || c.Engine != "podman" {
		t.Errorf("got %+v, want the container web of Podman", l.Container)
	}
}

// A process is evidence for its own socket only: a rootless dockerd, or one in a
// container, does not serve root's.
func TestEngineProcessesServeTheirOwnSockets(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, whose engine it imitates")
	}
	const path = "/run/podman/podman.sock"
	for _, test := range []struct {
		name, program string
		command       []string
		path          string
		uid           uint32
		want          bool
	}{
		{"dockerd", "dockerd", nil, "/run/docker.sock", 0, true},
		{"dockerd of another user", "dockerd", nil, "/run/docker.sock", 1000, false},
		{"dockerd, started by systemd for another socket", "dockerd", []string{"-H", "fd://"}, "/run/docker.sock", 0, false},
		{"dockerd, started by systemd for an unusual socket", "dockerd", []string{"-H", "fd://"}, "/tmp/docker.sock", 0, false},
		{"dockerd at another socket", "dockerd", []string{"-H", "unix:///tmp/other.sock"}, "/run/docker.sock", 0, false},
		{"dockerd for an unusual socket", "dockerd", nil, "/tmp/docker.sock", 0, false},
		{"dockerd for Podman's socket", "dockerd", nil, path, 0, false},
		{"Podman's service", "podman", []string{"system", "service"}, path, 0, true},
		{"Podman's service at this socket", "podman", []string{"system", "service", "unix://" + path}, path, 0, true},
		{"Podman's service at another socket", "podman", []string{"system", "service", "unix:///tmp/x"}, path, 0, false},
		{"podman run", "podman", []string{"run", "web"}, path, 0, false},
		{"another program", "nginx", []string{"system", "service"}, path, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, exec.Command(child.Copy(t, test.program), test.command...), "wait")
			await.Until(t, "the child runs its program", func() bool { return commandName(c.Process.Pid) == test.program })
			if got := isEngine(c.Process.Pid, test.path, test.uid); got != test.want {
				t.Errorf("isEngine(%v, %s) = %t, want %t", c.Args[1:], test.path, got, test.want)
			}
		})
	}
}

// systemd gives an engine its sockets (-H fd://), whose paths its command line does not
// name: it is evidence for the one that it has, not for another at which systemd waits.
func TestEngineServesTheSocketThatItInherited(t *testing.T) {
	uid := uint32(os.Geteuid())
	inherited, other := filepath.Join(t.TempDir(), "docker.sock"), filepath.Join(t.TempDir(), "docker.sock")
	listener := newUnixListener(t, inherited)
	newUnixListener(t, other)
	f, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := exec.Command(child.Copy(t, "dockerd"), "-H", "fd://")
	c.ExtraFiles = []*os.File{f}
	c = start(t, c, "wait")
	await.Until(t, "the child runs its program", func() bool { return commandName(c.Process.Pid) == "dockerd" })
	for path, want := range map[string]bool{inherited: true, other: false} {
		if got := isEngine(c.Process.Pid, path, uid); got != want {
			t.Errorf("isEngine(%s) = %t, want %t", path, got, want)
		}
	}
}

// newUnixListener listens at path until the test ends.
func newUnixListener(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
