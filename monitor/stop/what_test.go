package stop

import (
	"testing"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/story"
)

func TestTheSystemsOwnProcesses(t *testing.T) {
	for pid, want := range map[int][2]bool{-1: {true, true}, 0: {true, true}, 1: {true, true}, 4: {false, true}, 5: {false, false}} {
		if got := [2]bool{systems("linux", pid), systems("windows", pid)}; got != want {
			t.Errorf("%d: on Linux %t, on Windows %t; want %v", pid, got[0], got[1], want)
		}
	}
}

func TestWhatElseGoes(t *testing.T) {
	main := monitor.Owner{PID: 10, Start: 100}
	child := monitor.Owner{PID: 11, Start: 110, Parents: []monitor.Parent{{PID: 10, Start: 100}}}
	grandchild := monitor.Owner{PID: 12, Start: 120, Parents: []monitor.Parent{{PID: 11, Start: 110}, {PID: 10, Start: 100}}}
	stranger := monitor.Owner{PID: 13, Start: 130, Parents: []monitor.Parent{{PID: 10, Start: 99}}} // of one that had the number before
	row := func(port uint16, owners ...monitor.Owner) *monitor.Listener {
		return &monitor.Listener{Port: port, Owners: owners}
	}
	s := monitor.Snapshot{Listeners: []*monitor.Listener{row(1, main, child), row(2, child), row(3, grandchild), row(4, stranger), row(5), row(6, main)}}
	ports := func(rows []*monitor.Listener) (ports string) {
		for _, l := range rows {
			ports += string(rune('0' + l.Port))
		}
		return ports
	}
	if got := ports(Held(s, main)); got != "16" {
		t.Errorf("Held = ports %s, want 16", got)
	}
	if got := ports(Children(s, main)); got != "23" {
		t.Errorf("Children = ports %s, want 23", got)
	}
}

func TestWhatStopsItProperly(t *testing.T) {
	id := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, test := range []struct {
		g    owner.Group
		want string
	}{
		{owner.Group{Unit: "cups.service"}, "systemctl stop cups.service"},
		{owner.Group{Unit: "web.service", User: true}, "systemctl --user stop web.service"},
		{owner.Group{Unit: `a\x2db.service`}, `systemctl stop 'a\x2db.service'`},
		{owner.Group{Unit: "session-2.scope"}, ""},
		{owner.Group{Unit: "user@1000.service"}, ""},
		{owner.Group{Unit: "docker.service", Container: id}, "docker stop 0123456789ab"},
		{owner.Group{Container: id, Podman: true}, "podman stop 0123456789ab"},
		{owner.Group{Unit: "x'; rm -rf ~\n.service"}, `systemctl stop 'x'\''; rm -rf ~ .service'`},
		{owner.Group{}, ""},
	} {
		if m, ok := manager(test.g); m.Command != test.want || ok != (test.want != "") {
			t.Errorf("%+v: %q, %t; want %q", test.g, m.Command, ok, test.want)
		}
	}
	// docker-proxy runs in docker.service, whose end is the end of all containers.
	if m, _ := ManagerOf(monitor.Owner{Name: "docker-proxy"}, &monitor.Listener{Port: 8080}); m.Command != "docker stop $(docker ps -q --filter publish=8080)" {
		t.Errorf("of docker-proxy: %q", m.Command)
	}
	known := &monitor.Listener{Port: 8080, Origin: monitor.Origin{Behind: &monitor.Container{ID: id, Name: "web", Published: true}}}
	if m, _ := ManagerOf(monitor.Owner{Name: "docker-proxy"}, known); m.Command != "docker stop 0123456789ab" || m.String() != "the container web that publishes the port" {
		t.Errorf("of docker-proxy, whose container is known: %q, %q", m, m.Command)
	}
	hidden := &monitor.Listener{Origin: monitor.Origin{Unit: "cups.service"}}
	if m, _ := ManagerOfHidden(hidden); m.Command != "systemctl stop cups.service" {
		t.Errorf("of a hidden owner: %q", m.Command)
	}
}

// In the unit of a desktop's terminal, of cron or of ssh there are all that were
// started there.
func TestAUnitInWhichSomethingElseStartedItIsNotStopped(t *testing.T) {
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
		if got := itself(story.WhyRuns(monitor.Owner{PID: 11, Name: "web", Parents: c.parents}, monitor.Origin{}, story.Live{})); got != c.want {
			t.Errorf("%v: %t; want %t", c.parents, got, c.want)
		}
	}
}

func TestANameAloneMakesNoDockerProxy(t *testing.T) {
	o := monitor.Owner{Name: "docker-proxy", Program: "/home/ada/server"}
	if m, _ := ManagerOf(o, &monitor.Listener{Port: 8080}); m.Kind == Publisher {
		t.Errorf("a process that calls itself docker-proxy is %v", m)
	}
}
