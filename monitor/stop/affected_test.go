package stop

import (
	"os"
	"strconv"
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/owner"
)

func TestIsSystemProcess(t *testing.T) {
	for pid, want := range map[int][2]bool{-1: {true, true}, 0: {true, true}, 1: {true, true}, 4: {false, true}, 5: {false, false}} {
		if got := [2]bool{isSystemProcess("linux", pid), isSystemProcess("windows", pid)}; got != want {
			t.Errorf("PID %d: got %t on Linux, %t on Windows; want %v", pid, got[0], got[1], want)
		}
	}
}

func TestListenersOfDescendants(t *testing.T) {
	main := monitor.Owner{PID: 10, Start: 100}
	child := monitor.Owner{PID: 11, Start: 110, Parents: []monitor.Parent{{PID: 10, Start: 100}}}
	grandchild := monitor.Owner{PID: 12, Start: 120, Parents: []monitor.Parent{{PID: 11, Start: 110}, {PID: 10, Start: 100}}}
	stranger := monitor.Owner{PID: 13, Start: 130, Parents: []monitor.Parent{{PID: 10, Start: 99}}} // child of an earlier process with PID 10
	listener := func(port uint16, owners ...monitor.Owner) *monitor.Listener {
		return &monitor.Listener{Port: port, Owners: owners}
	}
	s := monitor.Snapshot{Listeners: []*monitor.Listener{listener(1, main, child), listener(2, child), listener(3, grandchild), listener(4, stranger), listener(5), listener(6, main)}}
	ports := func(listeners []*monitor.Listener) (ports string) {
		for _, l := range listeners {
			ports += string(rune('0' + l.Port))
		}
		return ports
	}
	if got := ports(ListenersOf(s, main)); got != "16" {
		t.Errorf("ListenersOf: got ports %s, want 16", got)
	}
	if got := ports(ListenersOfDescendants(s, main)); got != "23" {
		t.Errorf("ListenersOfDescendants: got ports %s, want 23", got)
	}
}

func TestManagerOf(t *testing.T) {
	id := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	sudo := ""
	if os.Getuid() != 0 {
		sudo = "sudo "
	}
	for _, test := range []struct {
		g    owner.Cgroup
		want string
	}{
		{owner.Cgroup{Unit: "cups.service"}, "systemctl stop cups.service"},
		{owner.Cgroup{Unit: "web.service", UnitUser: strconv.Itoa(os.Getuid())}, "systemctl --user stop web.service"},
		{owner.Cgroup{Unit: "web.service", UnitUser: "4242"}, sudo + "runuser -u dana -- env XDG_RUNTIME_DIR=/run/user/4242 systemctl --user stop web.service"},
		{owner.Cgroup{Unit: `a\x2db.service`}, `systemctl stop 'a\x2db.service'`},
		{owner.Cgroup{Unit: "session-2.scope"}, ""},
		{owner.Cgroup{Unit: "user@1000.service"}, ""},
		{owner.Cgroup{Unit: "docker.service", ContainerID: id}, "docker stop 0123456789ab"},
		{owner.Cgroup{ContainerID: id, Podman: true}, "podman stop 0123456789ab"},
		{owner.Cgroup{Unit: "x'; rm -rf ~\n.service"}, `systemctl stop 'x'"'"'; rm -rf ~ .service'`},
		{owner.Cgroup{}, ""},
	} {
		if m, ok := groupManager(test.g, "dana"); m.Command != test.want || ok != (test.want != "") {
			t.Errorf("%+v: got %q, %t; want %q", test.g, m.Command, ok, test.want)
		}
	}
	// docker-proxy runs in docker.service; stopping that stops all containers.
	if m, _ := ManagerOf(t.Context(), monitor.Owner{Name: "docker-proxy"}, &monitor.Listener{Port: 8080}); m.Command != "docker stop $(docker ps -q --filter publish=8080)" {
		t.Errorf("docker-proxy: got %q", m.Command)
	}
	known := &monitor.Listener{Port: 8080, CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{ID: id, Name: "web", Published: true}}}
	if m, _ := ManagerOf(t.Context(), monitor.Owner{Name: "docker-proxy"}, known); m.Command != "docker stop 0123456789ab" || m.String() != "the container web that publishes the port" {
		t.Errorf("docker-proxy with known container: got %q, %q", m, m.Command)
	}
	unknown := &monitor.Listener{CgroupInfo: monitor.CgroupInfo{Unit: "cups.service"}}
	if m, _ := ManagerOfUnknownOwner(t.Context(), unknown); m.Command != "systemctl stop cups.service" {
		t.Errorf("unknown owner: got %q", m.Command)
	}
}

// The unit of a terminal, of cron or of ssh contains everything started there.
func TestUnitWithoutSystemdAsParentIsNotTheManager(t *testing.T) {
	parents := func(names ...string) (all []monitor.Parent) {
		for i, name := range names {
			all = append(all, monitor.Parent{PID: 10 - i, Name: name, Command: []string{name}})
		}
		return all
	}
	for _, c := range []struct {
		parents []monitor.Parent
		want    bool
	}{
		{parents("systemd"), true},
		{parents("nginx", "systemd"), true},
		{parents("zsh", "konsole", "systemd"), false},
		{parents("npm", "code", "systemd"), false},
		{parents("sh", "cron", "systemd"), false},
		{parents("cron", "systemd"), false},
		{parents("bash", "sshd", "systemd"), false},
		{parents("pm2", "systemd"), false},
	} {
		if got := startedBySystemd(ancestry.Explain(monitor.Owner{PID: 11, Name: "web", Parents: c.parents}, monitor.CgroupInfo{}, monitor.ProcessState{})); got != c.want {
			t.Errorf("%v: got %t, want %t", c.parents, got, c.want)
		}
	}
}

func TestProcessNamedDockerProxyIsNotTrusted(t *testing.T) {
	o := monitor.Owner{Name: "docker-proxy", Program: "/home/ada/server"}
	if m, _ := ManagerOf(t.Context(), o, &monitor.Listener{Port: 8080}); m.Kind == Publisher {
		t.Errorf("process named docker-proxy: got manager %v", m)
	}
}
