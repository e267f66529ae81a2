package tunnel

import (
	"encoding/json"
	"net"

	"porthole/monitor"
)

// The names of what tailscale does.
const (
	tailscaleServe  = "tailscale serve"
	tailscaleFunnel = "tailscale funnel"
)

// tailscaleSwitches are the flags of tailscale serve and funnel without a value (tailscale.com
// cmd/tailscale/cli/serve_v2.go).
var tailscaleSwitches = []string{"bg", "yes", "tun"}

// parseTailscale parses "tailscale funnel 3000" and "tailscale serve http://localhost:3000",
// which stay while they forward. With --bg they end, and only tailscaled knows.
func parseTailscale(args []string) []forward {
	f := parseFlags(args, tailscaleSwitches)
	if _, background := f.values["bg"]; background {
		return nil
	}
	t, ok := parseTarget(f.word(1))
	if !ok || f.word(2) != "" {
		return nil
	}
	switch f.word(0) {
	case "serve":
		return []forward{{target: t, reach: monitor.ReachTailnet}}
	case "funnel":
		return []forward{{target: t, reach: monitor.ReachInternet, title: tailscaleFunnel}}
	}
	return nil
}

// serveConfig is the answer of "tailscale serve status --json" and of tailscaled's
// serve-config: what it forwards, and what of it the internet can reach (tailscale.com
// ipn/serve.go).
type serveConfig struct {
	TCP map[string]struct {
		TCPForward   string
		TerminateTLS string
	}
	Web map[string]struct { // by host:port
		Handlers map[string]struct{ Proxy string }
	}
	AllowFunnel map[string]bool         // by host:port
	Foreground  map[string]*serveConfig // of the tailscale commands that run
	Services    map[string]*serveConfig
}

// forwards returns what c forwards. depth limits the nesting, which is 1 in fact.
func (c *serveConfig) forwards(depth int) (found []forward) {
	if c == nil || depth < 0 {
		return nil
	}
	add := func(text, at, scheme string) {
		t, ok := parseTarget(text)
		if !ok || len(found) >= maxForwards {
			return
		}
		f := forward{target: t, reach: monitor.ReachTailnet, title: tailscaleServe}
		if host, port, err := net.SplitHostPort(at); err == nil {
			if port == "443" && scheme == "https" {
				at = host
			}
			f.url = cleanURL(scheme + "://" + at)
		}
		if c.AllowFunnel[at] || c.AllowFunnel[net.JoinHostPort(at, "443")] {
			f.reach, f.title = monitor.ReachInternet, tailscaleFunnel
		}
		found = append(found, f)
	}
	for at, server := range c.Web {
		for _, h := range server.Handlers {
			add(h.Proxy, at, "https")
		}
	}
	for port, handler := range c.TCP {
		at := "" // the name of this machine, which only AllowFunnel has
		for name := range c.AllowFunnel {
			if _, p, err := net.SplitHostPort(name); err == nil && p == port {
				at = name
			}
		}
		add(handler.TCPForward, at, "tcp")
	}
	for _, nested := range c.Foreground {
		found = append(found, nested.forwards(depth-1)...)
	}
	for _, nested := range c.Services {
		found = append(found, nested.forwards(depth-1)...)
	}
	return found[:min(len(found), maxForwards)]
}

// askTailscale asks tailscaled what it forwards, over its Unix socket: it lets every user of
// this machine read that. It is what "tailscale serve status --json" asks for, without a
// process for each question.
func askTailscale(a api, args []string) (found []forward, complete, ok bool) {
	path := parseFlags(args, nil).value("socket")
	if path == "" {
		path = tailscaleSocket
	}
	text, err := a.getUnix(path, "local-tailscaled.sock", "/localapi/v0/serve-config")
	var c *serveConfig
	if err != nil || json.Unmarshal(text, &c) != nil {
		return nil, false, false
	}
	return c.forwards(1), true, true
}

// tailscaleSocket is where tailscaled listens by default (tailscale.com/paths). A variable for
// tests.
var tailscaleSocket = "/var/run/tailscale/tailscaled.sock"
