package service

import (
	"cmp"
	"net"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"porthole/monitor"
)

// This file names what a forwarder forwards to.

// maxTarget is how many runes of a target or name are shown.
const maxTarget = 48

// Names of forwards without a target.
const (
	sshForward     = "SSH remote forward"
	x11Forward     = "X11 forwarding"
	autosshMonitor = "autossh monitor"
	sshSOCKS       = "ssh SOCKS proxy"
)

// tapOf begins the names of taps: "tap of 3000".
const tapOf = "tap of "

// IsTap reports whether a service is the one of "porthole tap".
func IsTap(service string) bool { return strings.HasPrefix(service, tapOf) }

// isForward reports whether a service is one that forward names.
func isForward(service string) bool {
	switch service {
	case sshForward, x11Forward, autosshMonitor, sshSOCKS, "ssh", "socat", "websockify", "stunnel", "rinetd", "frp", "ngrok", "cloudflared", "sshuttle":
		return true
	}
	return strings.HasPrefix(service, "ssh tunnel to ") || strings.HasPrefix(service, "ssh forward through ") ||
		strings.HasPrefix(service, "kubectl port-forward") || strings.HasPrefix(service, "socat to ") ||
		strings.HasPrefix(service, "websockify to ") || IsTap(service) || strings.HasPrefix(service, "systemd-socket-proxyd")
}

// forward describes the target to which s forwards the port, "" if s is not a
// forwarder.
func (s subject) forward() string {
	switch s.program() {
	case "ssh", "dbclient":
		return s.sshClient()
	case "autossh":
		return autosshMonitor
	case "sshd", "sshd-session", "dropbear":
		if monitor.IsSSHSession(first(s.Command)) {
			return remoteForward(s.listener.Port)
		}
	case "kubectl":
		if slices.Contains(s.Command, "port-forward") {
			return withTarget("kubectl port-forward", kubectlTarget(s.Command))
		}
	case "socat", "socat1":
		return withTarget("socat", socatTarget(s.Command))
	case "systemd-socket-proxyd":
		return withTarget("systemd-socket-proxyd", lastArgument(s.Command))
	}
	if target := s.tapTarget(); target != "" {
		return tapOf + target
	}
	if _, script := s.script(); programName(script) == "websockify" || s.name == "websockify" {
		return withTarget("websockify", websockifyTarget(s.Command))
	}
	return ""
}

// ownProgram is the file of this program, "" if it is unknown.
var ownProgram = sync.OnceValue(func() string {
	path, _ := os.Executable()
	return path
})

// tapOptions are the options of "porthole tap" that have a value.
var tapOptions = []string{"--listen", "--har", "--pcap"}

// tapTarget returns what "porthole tap" forwards to, "" for other programs.
func (s subject) tapTarget() string {
	if name := s.program(); name != "porthole" && name != "portholew" && (s.Program == "" || s.Program != ownProgram()) {
		return ""
	}
	if len(s.Command) < 3 || s.Command[1] != "tap" {
		return ""
	}
	for i := 2; i < len(s.Command); i++ {
		switch arg := monitor.Bound(s.Command[i]); {
		case slices.Contains(tapOptions, arg):
			i++
		case !strings.HasPrefix(arg, "-"):
			return monitor.CleanMasked(arg, maxTarget)
		}
	}
	return ""
}

func withTarget(name, target string) string {
	if target = monitor.CleanMasked(target, maxTarget); target == "" {
		return name
	}
	return name + " to " + target
}

// remoteForward names a port that sshd opens for a client: ssh -R, or a display
// from 10 up (X11DisplayOffset, sshd_config(5)).
func remoteForward(port uint16) string {
	if port >= 6010 && port < 6100 {
		return x11Forward
	}
	return sshForward
}

// sshOptions are the options of ssh(1) that have a value.
const sshOptions = "BbcDEeFIiJLlmOoPpQRSWw"

// sshClient describes what ssh forwards the port to: by -L, -D, or -o with the
// options of ssh_config(5). Other forwards come from a file or from "ssh -O
// forward".
func (s subject) sshClient() string {
	port, host, monitored := s.listener.Port, "", uint16(0)
	if title, ok := strings.CutSuffix(monitor.Bound(first(s.Command)), " [mux]"); ok {
		return throughHost(cmp.Or(controlPathHost(title), s.SSHServer))
	}
	var target string
	for i := 1; i < len(s.Command); i++ {
		arg := monitor.Bound(s.Command[i])
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			if host == "" && arg != "" && arg != "--" && arg[0] != '-' {
				host = arg
				continue
			}
			if host != "" {
				break // the remote command
			}
			continue
		}
		at := strings.IndexAny(arg[1:], sshOptions)
		if at < 0 {
			continue
		}
		option, value := arg[1+at], arg[2+at:]
		if value == "" && i+1 < len(s.Command) {
			i++
			value = monitor.Bound(s.Command[i])
		}
		if option == 'o' {
			option, value = configForward(value)
		}
		parts := splitForward(value)
		switch n := len(parts); {
		case option == 'D' && isPort(parts[n-1], port):
			target = sshSOCKS
		case option == 'L' && n >= 3 && isPort(parts[n-3], port):
			target = "ssh tunnel to " + monitor.CleanMasked(net.JoinHostPort(parts[n-2], parts[n-1]), maxTarget)
			if parts[n-2] == "127.0.0.1" && isPort(parts[n-1], port) {
				monitored = port
			}
		case option == 'L' && n == 2 && isPort(parts[0], port) && strings.HasPrefix(parts[1], "/"):
			target = "ssh tunnel to " + monitor.CleanMasked(parts[1], maxTarget)
		}
	}
	if monitored != 0 && s.underAutossh(monitored) {
		return autosshMonitor
	}
	if target != "" {
		return target
	}
	return throughHost(host)
}

// underAutossh reports whether autossh(1) watches its ssh through port: it starts
// "ssh -L PORT:127.0.0.1:PORT -R PORT:127.0.0.1:PORT+1".
func (s subject) underAutossh(port uint16) bool {
	p := strconv.Itoa(int(port))
	back := p + ":127.0.0.1:" + strconv.Itoa(int(port)+1)
	return slices.Contains(s.Command, back) || len(s.Parents) > 0 && programName(s.Parents[0].Name) == "autossh"
}

// configForward returns the flag and value that an option of ssh_config(5)
// stands for: "LocalForward=5433 db:5432".
func configForward(option string) (flag byte, value string) {
	name, value, _ := strings.Cut(strings.Replace(option, " ", "=", 1), "=")
	value = strings.Trim(strings.TrimSpace(value), `"`)
	switch {
	case strings.EqualFold(name, "LocalForward"):
		return 'L', strings.Join(strings.Fields(value), ":")
	case strings.EqualFold(name, "DynamicForward"):
		return 'D', value
	}
	return 'o', ""
}

// throughHost names a forward of which only the host is known.
func throughHost(host string) string {
	host = strings.TrimPrefix(host, "ssh://")
	if host = monitor.CleanMasked(host[strings.LastIndexByte(host, '@')+1:], maxTarget); host == "" {
		return "ssh"
	}
	return "ssh forward through " + host
}

// controlPathHost returns the host in the title of a control master, "ssh:
// /home/ann/.ssh/cm-ann@bastion:22 [mux]"; "" if the path has another form.
func controlPathHost(title string) string {
	name := path.Base(title)
	at, colon := strings.LastIndexByte(name, '@'), strings.LastIndexByte(name, ':')
	if at < 0 || colon <= at+1 || strings.Trim(name[colon+1:], "0123456789") != "" || colon+1 == len(name) {
		return ""
	}
	return name[at+1 : colon]
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
			return arg
		}
	}
	return ""
}

// socatTarget returns the address that socat(1) connects to, of the two that end
// its command line; "" if it runs a program or the like.
func socatTarget(command []string) string {
	for _, address := range command[min(max(1, len(command)-2), len(command)):] {
		kind, rest, _ := strings.Cut(monitor.Bound(address), ":")
		kind = strings.ToUpper(kind)
		rest, _, _ = strings.Cut(rest, ",")
		listens := strings.Contains(kind, "LISTEN") || strings.HasSuffix(kind, "-L") || strings.Contains(kind, "RECV")
		connects := false
		for _, prefix := range []string{"TCP", "UDP", "SCTP", "OPENSSL", "SSL", "SOCKS", "PROXY", "UNIX", "ABSTRACT", "VSOCK"} {
			connects = connects || strings.HasPrefix(kind, prefix)
		}
		if connects && !listens {
			return rest
		}
	}
	return ""
}

// websockifyTarget returns the last argument if it is HOST:PORT.
func websockifyTarget(command []string) string {
	last := lastArgument(command)
	if host, port, err := net.SplitHostPort(last); err != nil || host == "" || strings.Trim(port, "0123456789") != "" {
		return ""
	}
	return last
}

// lastArgument returns the last argument if it is not a flag.
func lastArgument(command []string) string {
	if len(command) < 2 {
		return ""
	}
	last := monitor.Bound(command[len(command)-1])
	if strings.HasPrefix(last, "-") {
		return ""
	}
	return last
}
