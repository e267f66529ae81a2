package integration

import (
	"bufio"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/process"
	"porthole/monitor/service"
	"porthole/monitor/warning"
)

// server is one line of testdata/servers.txt.
type server struct {
	run, unit, program, comm string
	command                  []string
	ports                    []serverPort
	service                  string // or several in the form PORT=NAME;
	process, framework       string
	warnings                 []string
}

type serverPort struct {
	port     uint16
	protocol monitor.Protocol
	exposed  bool
}

func readServers(t *testing.T) []server {
	t.Helper()
	f, err := os.Open("testdata/servers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []server
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, "|")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if len(fields) < 9 || len(fields) > 10 {
			t.Fatalf("%d columns, want 10: %s", len(fields), line)
		}
		s := server{run: fields[0], unit: fields[1], program: fields[2], comm: strings.Trim(fields[3], `"`), command: words(fields[4]),
			service: fields[6], process: fields[7], framework: fields[8]}
		if len(fields) > 9 {
			s.warnings = strings.Fields(fields[9])
		}
		for _, port := range strings.Fields(fields[5]) {
			p := serverPort{protocol: monitor.TCP, exposed: strings.Contains(port, "*")}
			if strings.HasPrefix(port, "u") {
				p.protocol = monitor.UDP
			}
			n, err := strconv.ParseUint(strings.TrimLeft(port, "ue*"), 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			p.port = uint16(n)
			s.ports = append(s.ports, p)
		}
		all = append(all, s)
	}
	return all
}

// words splits a command line; a part in quotes is one argument.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// packaged reports whether a unit of the distribution runs s.
func (s server) packaged() bool { return strings.Contains(s.unit, ".") }

// owner is the process as root sees it, or without its program and folder as any
// user sees it.
func (s server) owner(root bool) monitor.Owner {
	o := monitor.Owner{PID: 4711, Start: 1, ParentPID: 1, User: "daemon", Command: s.command, Folder: "/", Parents: []monitor.Parent{{PID: 1, Name: "systemd"}}}
	if strings.HasSuffix(s.unit, ".socket") {
		o.PID, o.ParentPID, o.Parents, o.User = 1, 0, nil, "root"
	}
	if !s.packaged() {
		o.User, o.ParentPID, o.Folder = "dev", 800, "/home/dev"
		o.Parents = []monitor.Parent{{PID: 800, Name: "bash", Command: []string{"-bash"}}, {PID: 700, Name: "tmux: server", Command: []string{"tmux"}}, {PID: 1, Name: "systemd"}}
		kind, detail, _ := strings.Cut(s.unit, ":")
		if kind == "-" {
			o.Framework = detail
		} else if detail == "root" {
			o.User = "root"
		}
	}
	if root {
		o.Program = s.program
	}
	o.Name = process.DisplayName(s.comm, o.Program, s.command)
	return o
}

func (s server) listener(p serverPort) *monitor.Listener {
	l := &monitor.Listener{ID: "1", Protocol: p.protocol, Port: p.port, Exposure: monitor.ExposureLoopback, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, User: "root"}
	if p.exposed {
		l.Exposure, l.Addresses[0] = monitor.ExposureNetwork, netip.MustParseAddr("0.0.0.0")
	}
	return l
}

// wantService is the service of one port.
func (s server) wantService(port uint16) string {
	if !strings.Contains(s.service, ";") {
		return s.service
	}
	for one := range strings.SplitSeq(s.service, ";") {
		if name, ok := strings.CutPrefix(one, strconv.Itoa(int(port))+"="); ok {
			return name
		}
	}
	return ""
}

// Root sees the process. A user sees of a unit's process that it is the only one
// in its cgroup, or only the unit.
func TestServicesOfRealServers(t *testing.T) {
	servers := readServers(t)
	if len(servers) < 180 {
		t.Fatalf("%d servers, want at least 180", len(servers))
	}
	for _, s := range servers {
		for _, p := range s.ports {
			want := s.wantService(p.port)
			check := func(view string, l *monitor.Listener) {
				t.Helper()
				service.Describe(l)
				if l.Service != want {
					t.Errorf("%s, port %d, %s: got the service %q by %q, want %q", s.run, p.port, view, l.Service, l.ServiceBy, want)
				}
				if view != "only the unit" && l.Framework != s.framework && want == s.service {
					t.Errorf("%s, port %d, %s: got the framework %q, want %q", s.run, p.port, view, l.Framework, s.framework)
				}
			}
			root := s.listener(p)
			root.Owners = []monitor.Owner{s.owner(true)}
			if strings.HasSuffix(s.unit, ".socket") {
				root.Unit = s.unit
			}
			check("as root", root)
			if !s.packaged() {
				continue
			}
			only := s.listener(p)
			only.OwnerUnknown, only.Unit = monitor.UnknownForeign, s.unit
			check("only the unit", only)
			user := s.listener(p)
			o := s.owner(false)
			user.OwnerUnknown, user.Unit, user.Inferred = monitor.UnknownForeign, s.unit, &o
			check("as a user", user)
		}
	}
}

func TestProcessNamesOfRealServers(t *testing.T) {
	for _, s := range readServers(t) {
		views := []bool{true}
		if s.packaged() { // a developer's own process shows its program
			views = append(views, false)
		}
		for _, root := range views {
			if got := s.owner(root).Name; got != s.process {
				t.Errorf("%s, as root %t: got the process name %q, want %q", s.run, root, got, s.process)
			}
		}
	}
}

// A warning is for what is unusual for the service: at most 5 % of the packaged
// units have one, and all that should.
func TestWarningsOfRealServers(t *testing.T) {
	packaged, warned := 0, 0
	for _, s := range readServers(t) {
		views := []bool{true}
		if s.packaged() {
			views = append(views, false)
			packaged++
		}
		for _, root := range views {
			var got []string
			for _, p := range s.ports {
				l := s.listener(p)
				o := s.owner(true)
				if root {
					l.Owners = []monitor.Owner{o}
				} else {
					l.OwnerUnknown, l.Unit, o = monitor.UnknownForeign, s.unit, monitor.Owner{}
				}
				service.Describe(l)
				why := ancestry.Explanation{}
				if root {
					why = ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})
				}
				for _, w := range warning.Check(l, o, why, monitor.ProcessState{}) {
					if w.Kind != warning.UntrustedFolder && !slices.Contains(got, string(w.Kind)) {
						got = append(got, string(w.Kind))
					}
				}
			}
			if len(got) > 0 && root && s.packaged() {
				warned++
			}
			if !slices.Equal(got, s.warnings) && len(got)+len(s.warnings) > 0 {
				t.Errorf("%s, as root %t: got the warnings %q, want %q", s.run, root, got, s.warnings)
			}
		}
	}
	t.Logf("%d of %d packaged units have a warning", warned, packaged)
	if warned*20 > packaged {
		t.Errorf("%d of %d packaged units have a warning, want at most 5 %%", warned, packaged)
	}
}
