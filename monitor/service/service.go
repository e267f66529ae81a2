// Package service names the service that a listener provides, based on its
// owner's program and command line, on its systemd unit, or as a last resort on
// the port.
package service

import (
	"cmp"
	"path/filepath"
	"strings"

	"porthole/monitor"
)

// Describe sets l.Service, l.ServiceBy, which is the certainty of the name, and
// l.Framework; they are "" if nothing is known. It has no other effects and is
// safe for concurrent use.
func Describe(l *monitor.Listener) {
	f := identify(l)
	l.Service, l.ServiceBy, l.Framework = f.service, f.by, cmp.Or(f.framework, framework(f.service))
}

// finding is the result of identifying the service of a listener.
type finding struct {
	service   string
	by        monitor.ServiceBy
	framework string // if it differs from service
}

// WellKnown returns the service that people expect on port, such as "PostgreSQL" on
// 5432; "" if there is none.
func WellKnown(port uint16) string { return cmp.Or(protocolPorts[port], productPorts[port]) }

// identify tries what is certain first. If the owner is unknown, the process that
// is probably the owner, or the unit, gives the same name.
func identify(l *monitor.Listener) finding {
	o, seen := l.Principal()
	byInit := seen && isInit(o)
	switch {
	case seen && !byInit:
		if f := identifyOwner(o, l); f.service != "" {
			return f
		}
	case l.Inferred != nil:
		if f := identifyOwner(*l.Inferred, l); f.service != "" {
			f.by = monitor.ByCommand // it is probable only
			return f
		}
	}
	if l.OwnerUnknown == monitor.UnknownRemoteForward { // of one of several logins
		return finding{service: remoteForward(l.Port), by: monitor.ByCommand}
	}
	if name := unitService(l); name != "" {
		return finding{service: name, by: monitor.ByUnit}
	}
	name := protocolPorts[l.Port]
	if name == "" && (!seen || byInit) { // otherwise the owner is known to be something else
		name = productPorts[l.Port]
	}
	if name == "" || (l.Protocol == monitor.TCP && udpOnly[l.Port]) {
		return finding{}
	}
	return finding{service: name, by: monitor.ByPort}
}

// udpOnly are the ports of protocols that do not use TCP.
var udpOnly = map[uint16]bool{
	67: true, 68: true, 69: true, 123: true, 161: true, 162: true, 500: true, 546: true, 547: true, 1900: true, 4500: true, 4789: true, 5353: true, 5355: true, 51820: true,
}

// isInit reports whether o only waits for the first client on behalf of a service
// that it then starts: systemd and its user instances, launchd.
func isInit(o monitor.Owner) bool {
	name := cmp.Or(programName(o.Program), programName(o.Name))
	return name == "systemd" || o.PID == 1 && (name == "init" || name == "launchd")
}

// unitService names the service of the systemd unit that created l's sockets.
func unitService(l *monitor.Listener) string {
	name, ok := strings.CutSuffix(monitor.Bound(l.Unit), ".service")
	if !ok {
		if name, ok = strings.CutSuffix(name, ".socket"); !ok {
			return "" // a scope contains many programs
		}
	}
	service := lookUpUnit(name)
	switch {
	case service == "":
		return ""
	case service == "SSH" && l.User != "" && l.User != "root":
		return remoteForward(l.Port) // the daemon itself listens as root
	case service != "Erlang port mapper" && l.Port == 4369 && erlangServices[service]:
		return "Erlang port mapper"
	}
	return service
}

// erlangServices are the services that start an Erlang port mapper in their unit.
var erlangServices = map[string]bool{"RabbitMQ": true, "ejabberd": true, "CouchDB": true, "EMQX": true}

// lookUpUnit names the service of a unit or package, without its suffix:
// "postgresql@15-main", "php8.2-fpm", "redis-server".
func lookUpUnit(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), "@")
	if strings.HasPrefix(name, "php") && strings.HasSuffix(name, "-fpm") {
		return "PHP-FPM"
	}
	for _, name := range []string{name, trimVersion(name)} {
		if s, ok := units[name]; ok {
			return s
		}
		if s, ok := commands[name]; ok && kindOf[s] != Development { // packages of servers in Python and others
			return s
		}
	}
	return lookUp(name)
}

// lookUp names the service of a program: "stunnel4", "prometheus-node-exporter".
func lookUp(name string) string {
	for _, name := range []string{name, trimVersion(name)} {
		if s, ok := programs[name]; ok {
			return s
		}
	}
	if strings.HasPrefix(name, "qemu-system-") {
		return "QEMU"
	}
	return exporter(name)
}

// exporter names a Prometheus exporter: "node exporter" for node_exporter, which
// Debian calls prometheus-node-exporter; "" for other names.
func exporter(name string) string {
	base, ok := strings.CutSuffix(strings.ReplaceAll(name, "_", "-"), "-exporter")
	base = strings.TrimPrefix(base, "prometheus-")
	if !ok || base == "" || len(base) > maxTarget || strings.Trim(base, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return cmp.Or(exporters[base], base) + " exporter"
}

// trimVersion removes a version from the end of a name: "php-fpm8.2", "stunnel4",
// "icecast-2".
func trimVersion(name string) string {
	return strings.TrimRight(strings.TrimRight(name, "0123456789."), "-")
}

// subject is the process that is identified, for one of its listeners.
type subject struct {
	monitor.Owner
	listener *monitor.Listener
	exe      string // base name of the program in lower case, "" if it is unreadable
	name     string // process name in lower case
	title    string // base name of the first word of the command, in lower case
}

// program is the program's name, or the name it was started as.
func (s subject) program() string { return cmp.Or(s.exe, s.title, s.name) }

// identifyOwner identifies the service that o provides on l.
func identifyOwner(o monitor.Owner, l *monitor.Listener) finding {
	s := subject{Owner: o, listener: l, exe: programName(o.Program), name: firstWord(o.Name)}
	s.title = firstWord(first(o.Command))
	by := func(service string) finding { return finding{service: service, by: monitor.ByCommand} }
	if name := s.forward(); name != "" {
		return by(name)
	}
	if name := s.debugger(); name != "" {
		return by(name)
	}
	if s.exe == "busybox" || s.exe == "toybox" || s.exe == "" && s.title == "busybox" {
		return by(s.applet())
	}
	if name := s.byPath(); name != "" {
		return by(name)
	}
	if name := s.special(); name != "" {
		if s.exe == "" {
			return by(name)
		}
		return finding{service: name, by: monitor.ByProgram}
	}
	if f := s.runtime(); f.service != "" {
		return f
	}
	if name := lookUp(s.exe); name != "" {
		return finding{service: name, by: monitor.ByProgram}
	}
	// The process may choose these itself.
	for _, name := range []string{s.name, s.title} {
		if service := lookUp(name); service != "" {
			return by(service)
		}
	}
	if s.exe == "" || isInterpreter(s.exe) {
		for _, name := range []string{s.name, s.title} {
			if service := commands[name]; service != "" {
				return s.refine(by(service))
			}
		}
	}
	return finding{}
}

// applet names the server that busybox runs as, which is the first word that is
// not its own name; "" if it is another tool.
func (s subject) applet() string {
	for _, arg := range s.Command[:min(len(s.Command), 2)] {
		if name := programName(arg); name != "busybox" && name != "toybox" {
			return applets[name]
		}
	}
	return applets[s.name]
}

// byPath identifies programs whose file names are ambiguous.
func (s subject) byPath() string {
	path := monitor.Bound(cmp.Or(s.Program, first(s.Command)))
	switch {
	case strings.Contains(monitor.Bound(first(s.Command)), "/.vscode-server/"), strings.Contains(path, "/.vscode-server/"):
		return "VS Code server"
	case strings.Contains(path, "/postfix/"):
		return "Postfix"
	case strings.Contains(path, "/cyrus/"):
		return "Cyrus IMAP"
	case strings.Contains(path, "/frr/"):
		return "FRR"
	}
	return ""
}

// special identifies programs that provide several services.
func (s subject) special() string {
	switch s.program() {
	case "xvfb", "xorg", "xephyr", "xnest", "xwayland", "xtigervnc", "xvnc", "xtightvnc":
		return s.xServer()
	case "git":
		if contains(s.Command, "daemon") {
			return lookUp("git-daemon")
		}
	case "couriertcpd":
		for _, arg := range s.Command[:min(len(s.Command), maxArguments)] {
			switch programName(arg) {
			case "imapd", "imaplogin":
				return "Courier IMAP"
			case "pop3d", "pop3login":
				return "Courier POP3"
			}
		}
	case "httpd":
		if contains(s.Command, "-p") { // Apache has no such flag
			return applets["httpd"]
		}
	}
	return ""
}

// firstWord returns the program in a process title: "gunicorn" for "gunicorn:
// master [app:app]", "next-server" for "next-server (v15.1)".
func firstWord(title string) string {
	title, _, _ = strings.Cut(monitor.Bound(title), " ")
	return programName(strings.TrimSuffix(title, ":"))
}

// programName returns the base name of a path in lower case, without ".exe".
func programName(s string) string {
	if s = monitor.Bound(s); s == "" {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(filepath.Base(s), ".exe"))
}

// first returns the first argument, or "".
func first(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return command[0]
}

// contains reports whether one of the first arguments after the program is word.
func contains(command []string, word string) bool {
	for i, arg := range command[:min(len(command), maxArguments)] {
		if i > 0 && arg == word {
			return true
		}
	}
	return false
}
