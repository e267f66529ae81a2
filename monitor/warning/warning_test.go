package warning

import (
	"net/netip"
	"strings"
	"testing"

	"porthole/internal/sample"
	"porthole/monitor"
	"porthole/monitor/ancestry"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name     string
		owner    monitor.Owner
		exposure monitor.Exposure
		user     string
		state    monitor.ProcessState
		want     string
	}{
		{name: "nothing", owner: monitor.Owner{User: "you", Program: "/usr/bin/node"}},
		{name: "orphaned", owner: monitor.Owner{Parents: sample.Parents("npm run dev|npm run dev", "zsh|-zsh")}, state: monitor.ProcessState{EndedParents: map[int]bool{1: true}},
			want: "Orphaned: started by npm run dev, whose terminal has closed. Stop it if it is no longer needed."},
		{name: "session leader ended", state: monitor.ProcessState{SessionLeaderEnded: true},
			want: "Orphaned: the session leader has exited. Stop it if it is no longer needed."},
		{name: "deleted", owner: monitor.Owner{Deleted: true}, want: "The program file was deleted or replaced after the process started. Restart it to run the current version."},
		{name: "folder deleted", state: monitor.ProcessState{FolderDeleted: true}, want: "The working folder was deleted after the process started. Restart it in an existing folder."},
		{name: "exposed", exposure: monitor.ExposureNetwork, want: "Exposed to the network. Bind it to 127.0.0.1 unless other machines need it."},
		{name: "root", owner: monitor.Owner{User: "root"}, user: "you",
			want: "Runs as root. Use a separate, unprivileged user if possible."},
		{name: "setuid root", owner: monitor.Owner{User: "ann"}, state: monitor.ProcessState{RunsAsRoot: true}, want: "Runs as root. Use a separate, unprivileged user if possible."},
		{name: "socket opened by root", owner: monitor.Owner{User: "www-data"}, user: "root"},
		{name: "queue full", state: monitor.ProcessState{QueueFull: true, QueueLength: 129, QueueLimit: 128},
			want: "The accept queue is full (129 of 128), so new connections fail. The limit is usually net.core.somaxconn. Raise it, or restart the process if this persists."},
		{name: "suspended", state: monitor.ProcessState{Suspended: true},
			want: "Suspended (SIGSTOP or Ctrl+Z), so it answers no client. To resume it: fg in its terminal, or kill -CONT 9."},
		{name: "paused", state: monitor.ProcessState{Paused: true}, want: "Its container or control group is paused, so it answers no client until that is resumed."},
		{name: "preload", state: monitor.ProcessState{Preload: "/tmp/x\n\u202e.so"}, want: "LD_PRELOAD loads extra code into the process (/tmp/x .so). Check that you trust this library."},
		{name: "tmp", owner: monitor.Owner{Program: "/tmp/x/server"}, want: "The program or its script is in /tmp, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "similar name", owner: monitor.Owner{Program: "/tmpfiles/server"}},
		{name: "shm", owner: monitor.Owner{Program: "/dev/shm/x"}, want: "The program or its script is in /dev/shm, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "Downloads", owner: monitor.Owner{Program: "/home/a/Downloads/x"}, want: "The program or its script is in Downloads, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "a script", owner: monitor.Owner{Program: "/usr/bin/python3.11", Folder: "/var/tmp/a", Command: []string{"python3", "run.py"}},
			want: "The program or its script is in /var/tmp, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "a script after flags", owner: monitor.Owner{Command: []string{"python3", "-u", "-W", "error", "/tmp/x.py", "/home/a"}},
			want: "The program or its script is in /tmp, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "perl", owner: monitor.Owner{Command: []string{"/usr/bin/perl", "-w", "/tmp/x.pl"}}, want: "The program or its script is in /tmp, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "a shell script", owner: monitor.Owner{Folder: "/tmp", Command: []string{"bash", "-e", "./x.sh"}}, want: "The program or its script is in /tmp, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "php serves", owner: monitor.Owner{Command: []string{"php", "-S", "127.0.0.1:8000", "-t", "/tmp/x"}}},
		{name: "a jar", owner: monitor.Owner{Command: []string{"java", "-Xmx1g", "-jar", "/home/a/Downloads/x.jar"}}, want: "The program or its script is in Downloads, a folder for temporary or downloaded files. Check that you trust it."},
		{name: "a class", owner: monitor.Owner{Folder: "/tmp/a", Command: []string{"java", "-cp", "/usr/share/x.jar", "Main"}}},
		{name: "a shell command", owner: monitor.Owner{Folder: "/tmp/a", Command: []string{"sh", "-c", "/usr/bin/server"}}},
		{name: "a module", owner: monitor.Owner{Folder: "/tmp/a", Command: []string{"python3", "-m", "http.server"}}},
		{name: "argument of a server", owner: monitor.Owner{Program: "/usr/bin/caddy", Command: []string{"caddy", "/tmp/x"}}},
		{name: "go run", owner: monitor.Owner{Program: "/tmp/go-build1/b001/exe/main", Parents: sample.Parents("go|go run .", "bash|bash")}},
		{name: "go run elsewhere", owner: monitor.Owner{Program: "/tmp/main", Parents: sample.Parents("go|go run .", "bash|bash")},
			want: "The program or its script is in /tmp, a folder for temporary or downloaded files. Check that you trust it."},
	} {
		o := c.owner
		o.PID = 9
		l := &monitor.Listener{Exposure: c.exposure, User: c.user}
		why := ancestry.Explain(o, monitor.CgroupInfo{}, c.state)
		var got []string
		for _, w := range Check(l, o, why, c.state) {
			got = append(got, w.Sentence(why).String())
		}
		if s := strings.Join(got, "\n"); s != c.want {
			t.Errorf("%s: got %q, want %q", c.name, s, c.want)
		}
	}
}

// The engine's proxy always runs as root; users cannot change that.
func TestPublishedPortHasNoRootWarning(t *testing.T) {
	o := monitor.Owner{PID: 9, Name: "docker-proxy", User: "root"}
	for published, want := range map[bool]int{true: 0, false: 1} {
		l := &monitor.Listener{User: "root", CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{Name: "web", Published: published}}}
		if warnings := Check(l, o, ancestry.Explanation{}, monitor.ProcessState{}); len(warnings) != want {
			t.Errorf("published %t: got %+v, want %d warnings", published, warnings, want)
		}
	}
}

// The user of a socket is the user who created it: a server that dropped root
// privileges still has a socket of root.
func TestCheckOwnerUnknown(t *testing.T) {
	warnings := Check(&monitor.Listener{Exposure: monitor.ExposureNetwork, User: "root"}, monitor.Owner{}, ancestry.Explanation{}, monitor.ProcessState{})
	if len(warnings) != 1 || warnings[0].Kind != Exposed {
		t.Errorf("got %+v, want exposed", warnings)
	}
}

// The same program deserves a warning or not, depending on where it comes from
// and what started it.
func TestExposedByOrigin(t *testing.T) {
	shell := sample.Parents("bash|-bash", "systemd|/sbin/init")
	system := sample.Parents("systemd|/sbin/init")
	container := &monitor.Container{Name: "db", Image: "docker.io/library/postgres:16", Published: true}
	for _, c := range []struct {
		name  string
		l     monitor.Listener
		owner monitor.Owner
		want  string
	}{
		{"known server from a shell", monitor.Listener{Service: "nginx", ServiceBy: monitor.ByProgram}, monitor.Owner{Program: "/usr/sbin/nginx", Parents: shell}, ""},
		{"packaged unknown program", monitor.Listener{}, monitor.Owner{Program: "/usr/sbin/acmed", Parents: system}, ""},
		{"unknown program from a shell", monitor.Listener{}, monitor.Owner{Program: "/usr/sbin/acmed", Parents: shell}, "exposed"},
		{"unknown program of a unit", monitor.Listener{}, monitor.Owner{Program: "/srv/acme/acmed", Parents: system}, "exposed"},
		{"unknown program in /usr/local", monitor.Listener{}, monitor.Owner{Program: "/usr/local/bin/acmed", Parents: system}, "exposed"},
		{"script of a package", monitor.Listener{}, monitor.Owner{Program: "/usr/bin/python3.11", Command: []string{"python3", "/usr/sbin/acmed"}, Parents: system}, ""},
		{"script of a unit", monitor.Listener{}, monitor.Owner{Program: "/usr/bin/node", Command: []string{"node", "/srv/acme/server.js"}, Parents: system}, "exposed"},
		{"application server of a package", monitor.Listener{Service: "Gunicorn", ServiceBy: monitor.ByCommand}, monitor.Owner{Program: "/usr/bin/python3.11", Command: []string{"python3", "/usr/bin/gunicorn", "app"}, Parents: system}, ""},
		{"development server of a unit", monitor.Listener{Service: "Vite", ServiceBy: monitor.ByCommand}, monitor.Owner{Program: "/usr/bin/node", Command: []string{"node", "/srv/a/node_modules/.bin/vite"}, Parents: system}, "exposed development"},
		{"packaged database", monitor.Listener{Service: "PostgreSQL", ServiceBy: monitor.ByProgram}, monitor.Owner{Program: "/usr/lib/postgresql/15/bin/postgres", Parents: system}, "exposed database"},
		{"packaged administration page", monitor.Listener{Service: "Cockpit", ServiceBy: monitor.ByProgram}, monitor.Owner{Program: "/usr/lib/cockpit/cockpit-tls", Parents: system}, ""},
		{"debugger", monitor.Listener{Service: "Node inspector", ServiceBy: monitor.ByCommand}, monitor.Owner{Program: "/usr/bin/node", Parents: shell}, "exposed debugger"},
		{"guess from the port", monitor.Listener{Service: "HTTP", ServiceBy: monitor.ByPort}, monitor.Owner{Program: "/home/a/server", Parents: shell}, "exposed"},
		{"UDP client", monitor.Listener{Protocol: monitor.UDP, Port: 40000}, monitor.Owner{Program: "/home/a/client", Parents: shell}, ""},
		{"mDNS of a browser", monitor.Listener{Protocol: monitor.UDP, Port: 5353}, monitor.Owner{Program: "/opt/browser/browser", Parents: shell}, ""},
		{"UDP server", monitor.Listener{Protocol: monitor.UDP, Port: 9999}, monitor.Owner{Program: "/home/a/server", Parents: shell}, "exposed"},
		{"database in a container", monitor.Listener{Service: container.Description(), CgroupInfo: monitor.CgroupInfo{Container: container}}, monitor.Owner{Program: "/usr/bin/docker-proxy", User: "root", Parents: system}, "exposed database"},
		{"another user's unit", monitor.Listener{Port: 7000, CgroupInfo: monitor.CgroupInfo{Unit: "acme.service"}}, monitor.Owner{}, ""},
		{"another user's database", monitor.Listener{Service: "Redis", ServiceBy: monitor.ByUnit, CgroupInfo: monitor.CgroupInfo{Unit: "redis.service"}}, monitor.Owner{}, "exposed database"},
		{"kernel", monitor.Listener{Protocol: monitor.UDP, Port: 4789, Service: "VXLAN", ServiceBy: monitor.ByPort, User: "root"}, monitor.Owner{}, ""},
		{"NFS in the kernel", monitor.Listener{Port: 40001, User: "root"}, monitor.Owner{}, ""},
	} {
		l := c.l
		l.Exposure = monitor.ExposureNetwork
		var why ancestry.Explanation
		if c.owner.Program != "" {
			c.owner.PID = 9
			l.Owners = []monitor.Owner{c.owner}
			why = ancestry.Explain(c.owner, l.CgroupInfo, monitor.ProcessState{})
		}
		var got []string
		for _, w := range Check(&l, c.owner, why, monitor.ProcessState{}) {
			got = append(got, strings.TrimSpace(string(w.Kind)+" "+w.Detail))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: got %q, want %q", c.name, s, c.want)
		}
	}
}

// systemd holds the sockets of its socket units as root, which is its job.
func TestNoWarningAboutSystemd(t *testing.T) {
	for _, unit := range []string{"gpsd.socket", "unheard-of.socket"} {
		o := monitor.Owner{PID: 1, Name: "systemd", Program: "/usr/lib/systemd/systemd", User: "root", Unit: unit}
		l := &monitor.Listener{Port: 2947, Protocol: monitor.TCP, Exposure: monitor.ExposureNetwork, User: "root", Owners: []monitor.Owner{o}, CgroupInfo: monitor.CgroupInfo{Unit: unit}}
		why := ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})
		if got := Check(l, o, why, monitor.ProcessState{RunsAsRoot: true}); len(got) > 0 {
			t.Errorf("%s, as root: got the warnings %+v, want none", unit, got)
		}
		l.Owners, l.OwnerUnknown = nil, monitor.UnknownForeign
		if got := Check(l, monitor.Owner{}, why, monitor.ProcessState{}); len(got) > 0 {
			t.Errorf("%s, as a user: got the warnings %+v, want none", unit, got)
		}
	}
}

// A warning about exposure is not needed if the firewall does what it would advise.
func TestFirewallAnswersExposure(t *testing.T) {
	for _, c := range []struct {
		service string
		state   monitor.FirewallState
		want    int
	}{
		{"", "", 1}, {"", monitor.FirewallAllowed, 1}, {"", monitor.FirewallUnknown, 1}, {"", monitor.FirewallLimited, 1}, {"", monitor.FirewallBlocked, 0},
		{"PostgreSQL", monitor.FirewallAllowed, 1}, {"PostgreSQL", monitor.FirewallLimited, 0}, {"PostgreSQL", monitor.FirewallBlocked, 0},
		{"Node inspector", monitor.FirewallLimited, 1}, {"Node inspector", monitor.FirewallBlocked, 0},
	} {
		l := &monitor.Listener{Exposure: monitor.ExposureNetwork, Service: c.service, ServiceBy: monitor.ByCommand}
		got := Check(l, monitor.Owner{PID: 9, Program: "/home/a/x"}, ancestry.Explanation{}, monitor.ProcessState{Firewall: monitor.Firewall{State: c.state}})
		if len(got) != c.want {
			t.Errorf("%q, %q: got %+v, want %d warnings", c.service, c.state, got, c.want)
		}
	}
}

// A database that a tunnel publishes is warned about although it listens on loopback only; a
// development server is what tunnels are for.
func TestPublicThroughATunnel(t *testing.T) {
	for kind, want := range map[string]string{"PostgreSQL": "public ngrok", "Node inspector": "public ngrok", "Vite": ""} {
		l := &monitor.Listener{Service: kind, ServiceBy: monitor.ByCommand, Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Address: netip.MustParseAddr("127.0.0.1")}}}}
		l.SetTunnels([]monitor.Tunnel{{Through: "ngrok", Reach: monitor.ReachInternet}})
		got := ""
		for _, w := range Check(l, monitor.Owner{PID: 9, Program: "/home/a/x"}, ancestry.Explanation{}, monitor.ProcessState{Firewall: monitor.Firewall{State: monitor.FirewallBlocked}}) {
			got += string(w.Kind) + " " + w.Detail
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", kind, got, want)
		}
	}
}
