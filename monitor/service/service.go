// Package service names the service that a listener provides, based on its
// owner's program, on the command line, or as a last resort on the port.
package service

import (
	"cmp"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
)

// Describe sets l.Service and l.ServiceBy, which says how certain the name is;
// both are "" if nothing is known. It has no other effects and is safe for
// concurrent use.
func Describe(l *monitor.Listener) {
	if p, ok := l.Principal(); ok {
		if l.Service, l.ServiceBy = describeOwner(p, l.Port); l.Service != "" {
			return
		}
	}
	if l.Service, l.ServiceBy = WellKnown(l.Port), monitor.ByPort; l.Service == "" {
		l.ServiceBy = ""
	}
}

// WellKnown returns the service that people expect on port, such as "PostgreSQL" on
// 5432; "" if there is none.
func WellKnown(port uint16) string { return wellKnownPorts[port] }

// Limits for parsing command lines: later arguments are data, not the program
// that runs. Java names its class after many options.
const (
	maxArgs     = 5
	maxJavaArgs = 64
	maxTarget   = 48 // runes of a tunnel's target
)

// describeOwner names the service of a port from its owner.
func describeOwner(o monitor.Owner, port uint16) (string, monitor.ServiceBy) {
	words := programNames(o.Command)
	name := programName(strings.TrimSuffix(o.Name, ":"))
	if s := tunnel(cmp.Or(programName(o.Program), name), o.Command, port); s != "" {
		return s, monitor.ByCommand
	}
	if isNodeInspector(o.Command, port) {
		return "Node inspector", monitor.ByCommand
	}
	if s, ok := programs[programName(o.Program)]; ok {
		return s, monitor.ByProgram
	}
	for _, w := range append([]string{name}, words...) { // a process may choose any name
		if s, ok := commands[w]; ok {
			return s, monitor.ByCommand
		}
		if s, ok := programs[w]; ok { // run by an interpreter, or the program's path is not readable
			return s, monitor.ByCommand
		}
	}
	if strings.Contains(monitor.Bound(first(o.Command)), "/.vscode-server/") {
		return "VS Code server", monitor.ByCommand
	}
	if programName(o.Program) == "java" || name == "java" {
		if s := describeJava(o.Command); s != "" {
			return s, monitor.ByCommand
		}
	}
	return "", ""
}

// describeJava names the service from the class or archive that Java runs.
func describeJava(command []string) string {
	for _, arg := range command[:min(len(command), maxJavaArgs)] {
		arg = strings.ToLower(monitor.Bound(arg))
		for _, s := range javaSignatures {
			if strings.Contains(arg, s.pattern) {
				return s.service
			}
		}
	}
	return ""
}

// tunnel describes the target to which ssh or kubectl forwards port.
func tunnel(program string, command []string, port uint16) string {
	switch {
	case program == "ssh":
		return sshTunnel(command, port)
	case program == "kubectl" && slices.Contains(command, "port-forward"):
		if target := kubectlTarget(command); target != "" {
			return "kubectl port-forward to " + target
		}
		return "kubectl port-forward"
	}
	return ""
}

// sshTunnel describes what ssh forwards port to, by -L or -D.
func sshTunnel(command []string, port uint16) string {
	for i, arg := range command {
		kind, value := forwardFlag(arg)
		if kind != 0 && value == "" && i+1 < len(command) {
			value = command[i+1]
		}
		parts := splitForward(monitor.Bound(value))
		if kind == 'D' && isPort(parts[len(parts)-1], port) {
			return "ssh SOCKS proxy"
		}
		if n := len(parts); kind == 'L' && n >= 3 && isPort(parts[n-3], port) {
			return "ssh tunnel to " + monitor.CleanMasked(net.JoinHostPort(parts[n-2], parts[n-1]), maxTarget)
		}
	}
	return ""
}

// forwardFlag returns the flag L or D of an ssh argument and its value, also if
// it follows flags without a value (ssh(1)): -fNL, -L5432:db:5432. kind is 0 if
// arg has neither.
func forwardFlag(arg string) (kind byte, value string) {
	if len(arg) < 2 || arg[0] != '-' {
		return 0, ""
	}
	flags := strings.TrimLeft(arg[1:], "46AaCfGgKkMNnqsTtVvXxYy")
	if flags == "" || flags[0] != 'L' && flags[0] != 'D' {
		return 0, ""
	}
	return flags[0], flags[1:]
}

// splitForward splits ssh's [bind:]port:host:hostport; IPv6 addresses are in
// brackets.
func splitForward(s string) []string {
	var parts []string
	for {
		if inner, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "]"); ok && strings.HasPrefix(s, "[") {
			parts, s = append(parts, inner), rest
			if s = strings.TrimPrefix(rest, ":"); rest == "" {
				return parts
			}
			continue
		}
		part, rest, more := strings.Cut(s, ":")
		if parts = append(parts, part); !more {
			return parts
		}
		s = rest
	}
}

func isPort(text string, port uint16) bool { return text == strconv.Itoa(int(port)) }

// kubectlTarget returns the first word after port-forward that is not a flag, a
// flag's value or a pair of ports: svc/web.
func kubectlTarget(command []string) string {
	at := slices.Index(command, "port-forward")
	value := false
	for _, arg := range command[at+1:] {
		switch {
		case value:
			value = false
		case strings.HasPrefix(arg, "-"):
			value = !strings.Contains(arg, "=")
		case strings.Trim(monitor.Bound(arg), "0123456789:") != "":
			return monitor.CleanMasked(arg, maxTarget)
		}
	}
	return ""
}

// isNodeInspector reports whether port is where Node.js listens for a debugger.
func isNodeInspector(command []string, port uint16) bool {
	for _, arg := range command[:min(len(command), maxJavaArgs)] {
		flag, value, _ := strings.Cut(monitor.Bound(arg), "=")
		if flag != "--inspect" && flag != "--inspect-brk" && flag != "--inspect-wait" {
			continue
		}
		if at := value[strings.LastIndexByte(value, ':')+1:]; isPort(at, port) || (value == "" && port == 9229) {
			return true
		}
	}
	return false
}

// programNames returns the base names of the first arguments, as the tables
// spell them.
func programNames(command []string) []string {
	var out []string
	for _, arg := range command[:min(len(command), maxArgs)] {
		title, _, _ := strings.Cut(monitor.Bound(arg), " ") // "next-server (v15.1)"
		out = append(out, programName(arg), programName(strings.TrimSuffix(title, ":")))
	}
	return out
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
