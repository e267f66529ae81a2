package stop

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/monitor"
)

// Programs that other things depend on are never opened to be stopped, regardless
// of the name they run under and of who asks.
func TestProtectedProgramsAreNeverOpened(t *testing.T) {
	sessions := t.TempDir()
	for name, text := range map[string]string{"2": "UID=1000\nLEADER=4001\n", "3": "LEADER=4002\n", "2.ref": "LEADER=4003\n"} {
		if err := os.WriteFile(filepath.Join(sessions, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defer func(dir string) { sessionsDir = dir }(sessionsDir)
	sessionsDir = sessions
	for _, test := range []struct {
		pid     int
		program string // its path, or its name if the path is not readable
		command string
		want    Reason
	}{
		{100, "/usr/sbin/dockerd", "dockerd -H fd://", ContainerEngine},
		{100, "/usr/bin/containerd", "containerd", ContainerEngine},
		{100, "/usr/bin/podman", "podman system service", ContainerEngine},
		{100, "/usr/bin/rootlesskit", "/proc/self/exe --net=slirp4netns", ContainerEngine},
		{100, "dockerd", "", ContainerEngine},
		{100, "/usr/bin/containerd-shim-runc-v2", "containerd-shim", ContainerMonitor},
		{100, "/usr/bin/containerd-shim", "containerd-shim", ContainerMonitor},
		{100, "/usr/bin/conmon", "conmon -c 12", ContainerMonitor},
		{100, "/usr/bin/docker-proxy", "docker-proxy", ContainerForwarder},
		{100, "/usr/lib/podman/rootlessport", "rootlessport", ContainerForwarder},
		{100, "/usr/lib/podman/rootlessport", "rootlessport-child", ContainerForwarder},
		{100, "/usr/bin/slirp4netns", "slirp4netns -c 12 tap0", ContainerForwarder},
		{100, "/usr/bin/passt.avx2", "pasta --config-net --netns /run/user/1000/netns/x", ContainerForwarder},
		{100, "/usr/bin/passt.avx2", "pasta -f -t 8080 -- python3", ""},
		{100, "/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd --user", ServiceManager},
		{100, "systemd", "", ServiceManager},
		{1, "/usr/lib/systemd/systemd", "/sbin/init", SystemProcess},
		{100, "/usr/lib/xorg/Xorg", "Xorg :0", SessionProcess},
		{100, "/usr/bin/Xwayland", "Xwayland :0", SessionProcess},
		{100, "/usr/bin/gnome-shell", "gnome-shell", SessionProcess},
		{100, "/usr/bin/login", "login -p --", SessionProcess},
		{4001, "/usr/bin/my-session", "my-session", SessionProcess},
		{4002, "/usr/sbin/sshd", "sshd: dana", ""}, // closes a port that a dead client left open
		{4003, "/usr/bin/node", "node", ""},
		{100, "/home/dana/dockerd/server", "server", ""},
		{100, "/usr/bin/node", "dockerd", ""}, // a process can call itself anything
	} {
		o := monitor.Owner{PID: test.pid, Start: 1, Name: filepath.Base(test.program), Command: strings.Fields(test.command)}
		if strings.HasPrefix(test.program, "/") {
			o.Program = test.program
		}
		if got := Protection(o); got != test.want {
			t.Errorf("%d %s (%s): got %q, want %q", test.pid, test.program, test.command, got, test.want)
		}
		p, err := Open(o)
		if err == nil {
			p.Close()
		}
		var refused RefusedError
		if test.want != "" && (!errors.As(err, &refused) || refused.Reason != test.want) {
			t.Errorf("%s: Open: got %v, want reason %q", test.program, err, test.want)
		}
	}
}

// systemd keeps the socket of a service that it started. Only the service is
// stopped.
func TestOpenAllLeavesOutSystemd(t *testing.T) {
	o := victim(t, "listen")
	held, err := OpenAll([]monitor.Owner{{PID: 1, Start: 1, Name: "systemd"}, o})
	if err != nil || len(held) != 1 || held[0].Owner().PID != o.PID {
		t.Fatalf("got %d, %v; want only the service", len(held), err)
	}
	CloseAll(held)
	var refused RefusedError
	if _, err := OpenAll([]monitor.Owner{{PID: 1, Start: 1, Name: "systemd"}}); !errors.As(err, &refused) || refused.Reason != SystemProcess {
		t.Errorf("systemd alone: got %v, want reason %q", err, SystemProcess)
	}
}

func TestConsequence(t *testing.T) {
	for _, test := range []struct {
		program, command string
		want             Reason
	}{
		{"/usr/bin/passt.avx2", "/usr/bin/passt|-t|8080", EndsMachine},
		{"/usr/bin/passt.avx2", "pasta|-f|-t|8080|--|python3", EndsNamespace},
		{"/usr/bin/passt.avx2", "pasta|--netns|/run/user/1000/netns/x", ""}, // it is not stopped
		{"/usr/bin/ssh", "ssh|-N|-L|5433:localhost:5432|host", EndsConnection},
		{"/usr/bin/ssh", "ssh: /home/dana/.ssh/master [mux]", EndsConnection},
		{"/usr/sbin/sshd", "sshd: dana@pts/0", EndsLogin},
		{"/usr/lib/openssh/sshd-session", "sshd-session: dana", EndsLogin},
		{"/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", ""},
		{"/usr/sbin/sshd", "/usr/sbin/sshd|-D", ""},
		{"/usr/bin/node", "node|server.js", ""},
	} {
		o := monitor.Owner{PID: 100, Start: 1, Program: test.program, Command: strings.Split(test.command, "|")}
		if got := Consequence(o); got != test.want {
			t.Errorf("%s: got %q, want %q", test.command, got, test.want)
		}
	}
}
