// Package service names what a listener is for: from the program of its owner,
// from what the command line gives away, else from the port.
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

// Describe fills in l.Service and l.ServiceBy, how sure that is. It is pure but
// for that, and leaves nothing where nothing is known. It may be called from any
// goroutine.
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

// WellKnown returns the service that usually has a port, by its name in the IANA
// registry; "" where none is known.
func WellKnown(port uint16) string { return wellKnownPorts[port] }

// Bounds of what is looked at of a command line: a word further behind is
// somebody's data, not what is run. Java names its class after many options.
const (
	maxArgs      = 5
	maxJavaArgs  = 64
	maxArgLength = 1 << 10
	maxTarget    = 48 // runes of the other end of a tunnel
)

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
	for _, w := range append([]string{name}, words...) { // a process may call itself anything
		if s, ok := commands[w]; ok {
			return s, monitor.ByCommand
		}
		if s, ok := programs[w]; ok { // run by an interpreter, or a program that may not be read
			return s, monitor.ByCommand
		}
	}
	if strings.Contains(truncate(first(o.Command)), "/.vscode-server/") {
		return "VS Code server", monitor.ByCommand
	}
	if programName(o.Program) == "java" || name == "java" {
		return describeJava(o.Command), certainty(describeJava(o.Command))
	}
	return "", ""
}

func certainty(service string) monitor.ServiceBy {
	if service == "" {
		return ""
	}
	return monitor.ByCommand
}

// describeJava finds the class or the archive that runs.
func describeJava(command []string) string {
	for _, arg := range command[:min(len(command), maxJavaArgs)] {
		arg = strings.ToLower(truncate(arg))
		for _, s := range javaSignatures {
			if strings.Contains(arg, s.pattern) {
				return s.service
			}
		}
	}
	return ""
}

// tunnel names the other end of what ssh or kubectl forwards from port.
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

func sshTunnel(command []string, port uint16) string {
	for i, arg := range command {
		kind, value := forwardFlag(arg)
		if kind != 0 && value == "" && i+1 < len(command) {
			value = command[i+1]
		}
		parts := splitForward(truncate(value))
		if kind == 'D' && isPort(parts[len(parts)-1], port) {
			return "ssh SOCKS proxy"
		}
		if n := len(parts); kind == 'L' && n >= 3 && isPort(parts[n-3], port) {
			return "ssh tunnel to " + displayText(net.JoinHostPort(parts[n-2], parts[n-1]))
		}
	}
	return ""
}

// forwardFlag returns L or D of an argument of ssh and what follows it there, also
// behind flags that take no value (ssh(1)): -fNL, -L5432:db:5432. kind is 0 where
// there is none.
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

// splitForward splits ssh's [bind:]port:host:hostport, where an IPv6 address is in brackets.
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

// kubectlTarget is the first word after port-forward that is no flag, its value
// or a pair of ports: svc/web.
func kubectlTarget(command []string) string {
	at := slices.Index(command, "port-forward")
	value := false
	for _, arg := range command[at+1:] {
		switch {
		case value:
			value = false
		case strings.HasPrefix(arg, "-"):
			value = !strings.Contains(arg, "=")
		case strings.Trim(truncate(arg), "0123456789:") != "":
			return displayText(arg)
		}
	}
	return ""
}

// isNodeInspector reports whether port is where Node waits for a debugger.
func isNodeInspector(command []string, port uint16) bool {
	for _, arg := range command[:min(len(command), maxJavaArgs)] {
		flag, value, _ := strings.Cut(truncate(arg), "=")
		if flag != "--inspect" && flag != "--inspect-brk" && flag != "--inspect-wait" {
			continue
		}
		if at := value[strings.LastIndexByte(value, ':')+1:]; isPort(at, port) || (value == "" && port == 9229) {
			return true
		}
	}
	return false
}

// displayText makes the other end of a tunnel fit for one line.
func displayText(s string) string { return monitor.Clean(monitor.MaskText(truncate(s)), maxTarget) }

// programNames are the last elements of the first arguments, as the tables have them.
func programNames(command []string) []string {
	var out []string
	for _, arg := range command[:min(len(command), maxArgs)] {
		title, _, _ := strings.Cut(truncate(arg), " ") // "next-server (v15.1)"
		out = append(out, programName(arg), programName(strings.TrimSuffix(title, ":")))
	}
	return out
}

func programName(s string) string {
	if s = truncate(s); s == "" {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(filepath.Base(s), ".exe"))
}

func truncate(s string) string { return s[:min(len(s), maxArgLength)] }

func first(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return command[0]
}
