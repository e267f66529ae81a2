package stop

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

// withShow replaces systemctl show until the test ends.
func withShow(t *testing.T, answer func(s systemd, args string) string) {
	before := show
	t.Cleanup(func() { show = before })
	show = func(_ context.Context, s systemd, args ...string) string {
		return answer(s, strings.Join(args, " "))
	}
}

// What systemctl 252 prints for a unit that socket units trigger, and for one that
// none does.
func TestUnitSettings(t *testing.T) {
	for _, test := range []struct {
		name, answer, command, policy string
		restarts                      Restarts
	}{
		{"always", "Restart=always\nTriggeredBy=\n", "systemctl stop web.service", "Restart=always", WillRestart},
		{"SIGTERM is a success", "Restart=on-success\nTriggeredBy=\n", "systemctl stop web.service", "Restart=on-success", WillRestart},
		{"SIGTERM is no failure", "Restart=on-failure\nTriggeredBy=\n", "systemctl stop web.service", "Restart=on-failure", WontRestart},
		{"never", "Restart=no\nTriggeredBy=\n", "systemctl stop web.service", "Restart=no", WontRestart},
		{"socket units", "Restart=no\nTriggeredBy=web.timer web.socket web-tls.socket\n", "systemctl stop web.socket web-tls.socket web.service", "web.socket", WillRestart},
		{"a path unit", "Restart=no\nTriggeredBy=web.path\n", "systemctl stop web.path web.service", "web.path", MayRestart},
		{"a path unit besides", "Restart=always\nTriggeredBy=web.path\n", "systemctl stop web.path web.service", "Restart=always", WillRestart},
		{"no answer", "", "systemctl stop web.service", "", MayRestart},
		{"nonsense", "\x1b[31m\n\n=\nRestart", "systemctl stop web.service", "", MayRestart},
	} {
		withShow(t, func(systemd, string) string { return test.answer })
		m, ok := groupManager(owner.Cgroup{Unit: "web.service"}, "")
		if m = withUnitSettings(t.Context(), m, systemd{}); !ok || m.Command != test.command || m.Policy != test.policy || m.Restarts != test.restarts || strings.Join(m.Args, " ") != test.command {
			t.Errorf("%s: got %+v, want %q, %q, %d", test.name, m, test.command, test.policy, test.restarts)
		}
	}
}

// Each user's systemd takes orders from that user and from root. What is not this user's
// own is only asked by root.
func TestSystemctlOfEachInstance(t *testing.T) {
	own := strconv.Itoa(os.Getuid())
	sudo := ""
	if own != "0" {
		sudo = "sudo "
	}
	for _, test := range []struct {
		name    string
		s       systemd
		folder  string // XDG_RUNTIME_DIR
		command string
		asks    bool
	}{
		{"the system's", systemd{}, "", "systemctl stop web.service", true},
		{"own", systemd{own, "me"}, "/run/user/" + own, "systemctl --user stop web.service", true},
		{"own, after su", systemd{own, "me"}, "", "env XDG_RUNTIME_DIR=/run/user/" + own + " systemctl --user stop web.service", true},
		{"another user's", systemd{"4242", "dana"}, "/run/user/" + own, sudo + "runuser -u dana -- env XDG_RUNTIME_DIR=/run/user/4242 systemctl --user stop web.service", sudo == ""},
		{"of a user without a name", systemd{"4242", ""}, "/run/user/" + own, sudo + "runuser -u 4242 -- env XDG_RUNTIME_DIR=/run/user/4242 systemctl --user stop web.service", false},
	} {
		t.Setenv("XDG_RUNTIME_DIR", test.folder)
		m := test.s.manager(Unit, "web.service", "web.service")
		if m.Command != test.command || m.CanRun() != test.asks {
			t.Errorf("%s: got %q, can run: %t; want %q, %t", test.name, m.Command, m.CanRun(), test.command, test.asks)
		}
	}
}

// systemd waits on the sockets of its socket units. What systemctl 252 prints.
const socketUnits = `Id=demo.socket
Triggers=demo.service
Listen=127.0.0.1:9010 (Stream)
Listen=[::1]:9010 (Stream)

Id=tftp.socket
Triggers=tftp.service
Listen=0.0.0.0:9010 (Datagram)

Id=dbus.socket
Triggers=dbus.service
Listen=/run/dbus/system_bus_socket (Stream)
`

func TestSocketUnitOfSystemd(t *testing.T) {
	asked := ""
	withShow(t, func(s systemd, args string) string {
		asked = args
		if s.userID != "" {
			return ""
		}
		return socketUnits
	})
	first := monitor.Owner{PID: 1, Start: 1, Name: "systemd", Program: "/usr/lib/systemd/systemd", User: "root"}
	service := monitor.Owner{PID: 50, Start: 5, Name: "demo", Program: "/usr/bin/demo"}
	at := func(protocol monitor.Protocol, address string, port uint16, owners ...monitor.Owner) *monitor.Listener {
		return &monitor.Listener{Protocol: protocol, Port: port, Addresses: []netip.Addr{netip.MustParseAddr(address)}, Owners: owners}
	}
	for _, test := range []struct {
		name    string
		l       *monitor.Listener
		command string
	}{
		{"never started", at(monitor.TCP, "127.0.0.1", 9010, first), "systemctl stop demo.socket"},
		{"its other address", at(monitor.TCP, "::1", 9010, first), "systemctl stop demo.socket"},
		{"started", at(monitor.TCP, "127.0.0.1", 9010, service, first), "systemctl stop demo.socket demo.service"},
		{"UDP", at(monitor.UDP, "0.0.0.0", 9010, first), "systemctl stop tftp.socket"},
		{"another port", at(monitor.TCP, "127.0.0.1", 9011, first), ""},
		{"another address", at(monitor.TCP, "10.7.0.1", 9010, first), ""},
	} {
		m, ok := ManagerOf(t.Context(), first, test.l)
		if m.Command != test.command || ok != (test.command != "") || ok && (m.Kind != Socket || len(m.Args) == 0) {
			t.Errorf("%s: got %+v, %t; want %q", test.name, m, ok, test.command)
		}
	}
	if !strings.Contains(asked, "*.socket") {
		t.Errorf("asked systemctl show %q, want all socket units", asked)
	}
}

func TestContainerCommands(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/4242")
	for _, test := range []struct {
		name    string
		program string
		c       *monitor.Container
		command string
		runs    bool // without a shell
	}{
		{"Docker", "dockerd", &monitor.Container{ID: id, Name: "web", Published: true, Engine: "docker", Socket: "/var/run/docker.sock"}, "docker stop 0123456789ab", true},
		{"rootless Docker", "rootlesskit", &monitor.Container{ID: id, Published: true, Engine: "docker", Socket: "/run/user/1000/docker.sock"}, "docker --host unix:///run/user/1000/docker.sock stop 0123456789ab", true},
		{"Podman of another user", "rootlessport", &monitor.Container{ID: id, Published: true, Engine: "podman", Socket: "/run/user/1000/podman/podman.sock"}, "podman --url unix:///run/user/1000/podman/podman.sock stop 0123456789ab", true},
		{"Podman without an answer", "rootlessport", &monitor.Container{ID: id, Published: true, Engine: "podman"}, "podman stop 0123456789ab", true},
		{"Podman, container unknown", "rootlessport", &monitor.Container{Published: true, Engine: "podman"}, "podman stop $(podman ps -q --filter publish=8080)", false},
		{"docker-proxy, container unknown", "docker-proxy", &monitor.Container{Published: true, Engine: "docker", Address: "172.17.0.2:80"}, "docker stop $(docker ps -q --filter publish=8080)", false},
		{"a hostile ID", "rootlessport", &monitor.Container{ID: "\x1b[31m;reboot", Published: true, Engine: "podman"}, "podman stop '[31m;reboot'", false},
		{"dockerd's own port", "dockerd", nil, "", false},
		{"containerd's own port", "containerd", nil, "", false},
	} {
		l := &monitor.Listener{Port: 8080, CgroupInfo: monitor.CgroupInfo{Container: test.c}}
		m, _ := ManagerOf(t.Context(), monitor.Owner{PID: 100, Start: 1, Program: "/usr/bin/" + test.program}, l)
		if m.Command != test.command || (len(m.Args) > 0) != test.runs {
			t.Errorf("%s: got %q, runs %q; want %q, %t", test.name, m.Command, m.Args, test.command, test.runs)
		}
	}
}

// supervised runs a child with an environment and returns it below a supervisor
// with that name and command.
func supervised(t *testing.T, parentPID int, name string, line []string, environment ...string) monitor.Owner {
	t.Helper()
	o := victim(t, "listen", func(c *exec.Cmd) { c.Env = append(c.Env, environment...) })
	o.ParentPID = parentPID
	o.Parents = []monitor.Parent{{PID: parentPID, Name: name, Command: line}, {PID: 1, Name: "systemd"}}
	return o
}

func TestSupervisors(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "web")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "sup.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	runsv := exec.Command("sleep", "60") // in the service's folder, as runsv is
	runsv.Dir, runsv.SysProcAttr = folder, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := runsv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runsv.Process.Kill(); _ = runsv.Wait() })
	for _, test := range []struct {
		name     string
		o        monitor.Owner
		want     string // name and command
		restarts Restarts
	}{
		{"pm2", supervised(t, 900, "PM2 v5.4.2: God", []string{"PM2 v5.4.2: God Daemon (/home/dana/.pm2)"}, "pm_id=3", "name=shop"), "pm2 as shop|pm2 stop 3", WillRestart},
		{"pm2, title cut", supervised(t, 900, "PM2 v5.4.2:", []string{"PM2 v5.4.2:"}, "pm_id=0", "name=shop"), "pm2 as shop|pm2 stop 0", WillRestart},
		{"pm2, environment unknown", supervised(t, 900, "PM2 v5.4.2: God", []string{"PM2 v5.4.2: God Daemon (/home/dana/.pm2)"}), "pm2 (900)|", WillRestart},
		{"supervisord", supervised(t, 900, "supervisord", []string{"/usr/bin/python3", "/usr/bin/supervisord", "-n"}, "SUPERVISOR_PROCESS_NAME=web", "SUPERVISOR_GROUP_NAME=web", "SUPERVISOR_SERVER_URL=unix:///run/supervisor.sock"), "supervisord as web|supervisorctl -s unix:///run/supervisor.sock stop web", MayRestart},
		{"supervisord's name is python3", supervised(t, 900, "python3", []string{"python3", "/usr/bin/supervisord"}, "SUPERVISOR_PROCESS_NAME=web_01", "SUPERVISOR_GROUP_NAME=web"), "supervisord as web:web_01|supervisorctl stop web:web_01", MayRestart},
		{"runit", supervised(t, runsv.Process.Pid, "runsv", []string{"runsv", "web"}), "runsv as web|sv stop " + folder, WillRestart},
		{"s6", supervised(t, runsv.Process.Pid, "s6-supervise", []string{"s6-supervise", "web"}), "s6-supervise as web|s6-svc -d " + folder, WillRestart},
		{"supervisord's own file", supervised(t, runsv.Process.Pid, "supervisord", []string{"/usr/bin/python3", "/usr/bin/supervisord", "-c", "sup.conf"}, "SUPERVISOR_PROCESS_NAME=web", "SUPERVISOR_SERVER_URL=http://127.0.0.1:9001"), "supervisord as web|supervisorctl -c " + folder + "/sup.conf -s http://127.0.0.1:9001 stop web", MayRestart},
		{"foreman", supervised(t, 900, "foreman", []string{"foreman: master"}), "foreman (900)|kill 900", WontRestart},
		{"honcho", supervised(t, 900, "honcho", []string{"/usr/bin/python3", "/usr/bin/honcho", "start"}), "honcho (900)|kill 900", WontRestart},
		{"nodemon", supervised(t, 900, "node", []string{"node", "/srv/node_modules/.bin/nodemon", "app.js"}), "nodemon (900)|kill 900", MayRestart},
		{"nodemon by its script", supervised(t, 900, "node", []string{"node", "/srv/node_modules/nodemon/bin/nodemon.js", "app.js"}), "nodemon (900)|kill 900", MayRestart},
		{"node --watch", supervised(t, 900, "node", []string{"/usr/bin/node", "--watch", "app.js"}), "node --watch (900)|kill 900", MayRestart},
		{"a script's name in an argument", supervised(t, 900, "python3", []string{"python3", "app.py", "supervisord"}), "|", MayRestart},
		{"a shell with pm2's variables", supervised(t, 900, "bash", []string{"bash"}, "pm_id=3", "name=shop"), "|", MayRestart},
	} {
		m, _ := supervisorOf(test.o)
		if got := m.ID + "|" + m.Command; got != test.want || m.Restarts != test.restarts {
			t.Errorf("%s: got %q, %d; want %q, %d", test.name, got, m.Restarts, test.want, test.restarts)
		}
	}
}

func TestLoops(t *testing.T) {
	folder := t.TempDir()
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(folder, "pipe.sh")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command []string
		found   bool
		want    Restarts
	}{
		{[]string{"sh", write("a.sh", "while :; do serve 1; done\n")}, true, WillRestart},
		{[]string{"bash", "-e", write("b.sh", "#!/bin/bash\nset -u\n  while true\ndo serve\ndone\n")}, true, WillRestart},
		{[]string{"sh", write("c.sh", "until serve; do sleep 1; done\n")}, true, MayRestart},
		{[]string{"sh", "-c", "while true; do serve; done"}, true, WillRestart},
		{[]string{"sh", "-c", "cd /srv && serve"}, false, 0},
		{[]string{"sh", write("d.sh", "echo for you while it lasts\nserve\n")}, false, 0},
		{[]string{"sh", filepath.Join(folder, "gone.sh")}, false, 0},
		{[]string{"sh", pipe}, false, 0},
		{[]string{"bash"}, false, 0}, // what was typed cannot be seen
		{[]string{"node", write("e.js", "while (true) { serve() }\n")}, false, 0},
	} {
		o := monitor.Owner{PID: 1 << 22, Start: self.Start + 1, ParentPID: self.PID, Parents: []monitor.Parent{{PID: self.PID, Start: self.Start, Name: test.command[0], Command: test.command}}}
		m, ok := loopOf(o)
		if ok != test.found || m.Restarts != test.want {
			t.Errorf("%q: got %+v, %t; want %t, %d", test.command, m, ok, test.found, test.want)
		}
	}
}

// The environment and the state of a real process.
func TestSuspendedProcessIsContinuedAndEnds(t *testing.T) {
	o := victim(t, "listen")
	if process.IsSuspended(o.PID) {
		t.Fatal("a running process is reported as suspended")
	}
	child.Suspend(t, o.PID)
	if !process.IsSuspended(o.PID) {
		t.Error("got not suspended, want suspended after SIGSTOP")
	}
	p := open(t, o)
	if err := p.Terminate(alwaysHolds); err != nil {
		t.Fatal(err)
	}
	if !exitsWithin(t, p, GracePeriod) {
		t.Error("the process did not end")
	}
}

func TestSignalReturnsWhenThePortIsFree(t *testing.T) {
	o := victim(t, "stubborn")
	p := open(t, o)
	asked := 0
	out := Signal(t.Context(), []*Process{p}, func(p *Process) error { return p.Terminate(alwaysHolds) }, Progress{PortFree: func() bool { asked++; return asked > 2 }})
	if len(out.Finishing) != 1 || len(out.StillRunning)+len(out.Failed) != 0 {
		t.Errorf("got %+v, want one process that is finishing", out)
	}
}

func TestNarrowAndAt(t *testing.T) {
	socket := func(address string, v6only bool, owners ...int) monitor.HeldSocket {
		return monitor.HeldSocket{Socket: monitor.Socket{Address: netip.MustParseAddr(address), V6Only: v6only}, Owners: owners}
	}
	listener := func(sockets ...monitor.HeldSocket) *monitor.Listener {
		l := &monitor.Listener{Protocol: monitor.TCP, Port: 3001, Sockets: sockets, Owners: []monitor.Owner{{PID: 1000, Start: 1}, {PID: 1001, Start: 1}}}
		for _, s := range sockets {
			l.Addresses = append(l.Addresses, s.Address)
		}
		return l
	}
	for _, test := range []struct {
		name    string
		address string
		l       []*monitor.Listener
		want    string // PIDs
	}{
		{"one of two addresses", "127.0.0.1", []*monitor.Listener{listener(socket("127.0.0.1", false, 1000), socket("::1", false, 1001))}, "1000"},
		{"the other", "::1", []*monitor.Listener{listener(socket("127.0.0.1", false, 1000), socket("::1", false, 1001))}, "1001"},
		{"a wildcard answers", "127.0.0.1", []*monitor.Listener{listener(socket("0.0.0.0", false, 1000))}, "1000"},
		{"the dual-stack one too", "127.0.0.1", []*monitor.Listener{listener(socket("::", false, 1000))}, "1000"},
		{"but not for IPv6 only", "127.0.0.1", []*monitor.Listener{listener(socket("::", true, 1000))}, ""},
		{"the address itself is before a wildcard", "127.0.0.1", []*monitor.Listener{listener(socket("0.0.0.0", false, 1000)), listener(socket("127.0.0.1", false, 1001))}, "1001"},
		{"an IPv4-mapped address", "127.0.0.1", []*monitor.Listener{listener(socket("::ffff:127.0.0.1", false, 1000))}, "1000"},
		{"the wildcard itself", "0.0.0.0", []*monitor.Listener{listener(socket("0.0.0.0", false, 1000)), listener(socket("127.0.0.1", false, 1001))}, "1000"},
		{"another address", "10.7.0.1", []*monitor.Listener{listener(socket("127.0.0.1", false, 1000))}, ""},
	} {
		got := ""
		for _, l := range At(test.l, netip.MustParseAddr(test.address)) {
			for _, o := range l.Owners {
				got += processID("", o.PID)[2 : len(processID("", o.PID))-1]
			}
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
