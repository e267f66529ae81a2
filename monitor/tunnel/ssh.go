package tunnel

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"porthole/monitor"
)

// sshValues are the flags of ssh with a value (ssh.c, getopt).
const sshValues = "BbcDEeFIiJLlmOopQRSWwP"

// sshTunnelHosts are servers whose purpose is to publish what ssh -R forwards to them.
var sshTunnelHosts = []string{"serveo.net", "localhost.run", "lhr.life", "pinggy.io", "srv.us", "tuns.sh"}

// parseSSH returns the remote forwards (-R, -o RemoteForward) in the arguments of ssh(1).
// Without a setting of the server (GatewayPorts in sshd_config(5)), only programs on the
// server can connect to them. What is certain is that these can, so that is said; the servers
// of sshTunnelHosts publish them.
func parseSSH(args []string) []forward {
	var specs []string
	server := ""
	for i := 0; i < len(args) && server == ""; i++ {
		arg := args[i]
		if arg == "--" && i+1 < len(args) {
			server = args[i+1]
		} else if len(arg) < 2 || arg[0] != '-' {
			server = arg
		} else if flag, value, more := sshFlag(arg); flag != 0 {
			if more && i+1 < len(args) {
				i++
				value = args[i]
			}
			switch {
			case flag == 'R':
				specs = append(specs, value)
			case flag == 'O':
				return nil // a request to another ssh, which forwards
			case flag == 'o':
				specs = append(specs, remoteForward(value)...)
			}
		}
	}
	host := sshHost(server)
	var found []forward
	for _, spec := range specs {
		if f, ok := sshForward(spec, host); ok {
			found = append(found, f)
		}
	}
	return found
}

// sshFlag returns the flag with a value that arg ends with, and the value; more means that the
// value is the next argument. flag is 0 if there is none: -N, -fNT.
func sshFlag(arg string) (flag byte, value string, more bool) {
	for i := 1; i < len(arg); i++ {
		if strings.IndexByte(sshValues, arg[i]) >= 0 {
			return arg[i], arg[i+1:], i+1 == len(arg)
		}
	}
	return 0, "", false
}

// remoteForward returns the forward in the value of -o, in the form of -R: "RemoteForward=80
// localhost:3000" (ssh_config(5)).
func remoteForward(option string) []string {
	words := strings.FieldsFunc(option, func(c rune) bool { return c == ' ' || c == '\t' || c == '=' })
	if len(words) == 3 && strings.EqualFold(words[0], "RemoteForward") {
		return []string{words[1] + ":" + words[2]}
	}
	return nil
}

// sshHost returns the name of the server in a destination: "user@host", "ssh://user@host:22".
func sshHost(destination string) string {
	if u, err := url.Parse(destination); err == nil && u.Scheme == "ssh" {
		return cleanHost(u.Hostname())
	}
	return cleanHost(destination[strings.LastIndexByte(destination, '@')+1:])
}

// sshForward parses the value of -R: [bind:]port:host:hostport. A forward without a target
// (SOCKS) or to a Unix socket is none to a listener.
func sshForward(spec, host string) (forward, bool) {
	parts := splitForward(monitor.Bound(spec))
	if len(parts) < 3 || len(parts) > 4 {
		return forward{}, false
	}
	n := len(parts)
	t, ok := parseTarget(net.JoinHostPort(parts[n-2], parts[n-1]))
	if !ok || !isNumber(parts[n-3]) {
		return forward{}, false
	}
	if isUnder(host, sshTunnelHosts) {
		return forward{target: t, reach: monitor.ReachInternet, title: host + " (ssh -R)"}, true
	}
	f := forward{target: t, reach: monitor.ReachHost, host: host}
	if parts[n-3] != "0" && host != "" { // 0: the server chooses a port
		f.host = net.JoinHostPort(host, parts[n-3])
	}
	return f, true
}

// splitForward splits a forward at its colons, but not within brackets, which it removes.
func splitForward(spec string) (parts []string) {
	inside, part := false, strings.Builder{}
	for _, c := range spec {
		switch {
		case c == '[' || c == ']':
			inside = c == '['
		case c == ':' && !inside:
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteRune(c)
		}
	}
	return slices.Clip(append(parts, part.String()))
}
