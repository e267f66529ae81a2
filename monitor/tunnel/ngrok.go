package tunnel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
)

// ngrokSwitches are the flags of ngrok without a value (ngrok.com/docs/agent/cli).
var ngrokSwitches = []string{"inspect", "compression", "websocket-tcp-converter", "pooling-enabled", "all", "none", "verify-webhook-disabled", "mutual-tls", "bind-tls", "h", "help"}

// parseNgrok parses "ngrok http 8080", "ngrok tcp 22" and "ngrok tls --url … 443", in any
// order of flags. What "ngrok start" starts is in its configuration file.
func parseNgrok(args []string) []forward {
	f := parseFlags(args, ngrokSwitches)
	if !slices.Contains([]string{"http", "tcp", "tls", "tunnel"}, f.word(0)) {
		return nil
	}
	t, ok := parseTarget(f.word(1))
	if !ok {
		return nil
	}
	at := f.value("url", "domain", "hostname")
	if at != "" && !strings.Contains(at, "://") {
		at = "https://" + at
	}
	return []forward{ngrokForward(t, at)}
}

// ngrokForward returns the forward to t that ngrok publishes at a URL, which may be unknown.
// Names under .internal are for endpoints of the same account (ngrok.com/docs, "Internal
// endpoints").
func ngrokForward(t target, at string) forward {
	f := forward{target: t, reach: monitor.ReachInternet, url: cleanURL(at)}
	if host, _, _ := strings.Cut(strings.TrimPrefix(f.url[strings.Index(f.url, "://")+1:], "//"), ":"); strings.HasSuffix(host, ".internal") {
		f.reach = monitor.ReachAccount
	}
	return f
}

func ngrokFile(args []string) string {
	f := parseFlags(args, ngrokSwitches)
	if f.word(0) != "start" {
		return ""
	}
	return f.value("config")
}

// readNgrok reads the tunnels and endpoints that "ngrok start" starts (ngrok.com/docs/agent/config).
func readNgrok(args []string, text []byte) (found []forward) {
	var c struct {
		Tunnels map[string]struct {
			Addr   any    `yaml:"addr"` // a port or an address
			Domain string `yaml:"domain"`
		} `yaml:"tunnels"`
		Endpoints []struct {
			Name, URL string
			Upstream  struct{ URL any }
		} `yaml:"endpoints"`
	}
	if yaml.Unmarshal(text, &c) != nil {
		return nil
	}
	f := parseFlags(args, ngrokSwitches)
	_, all := f.values["all"]
	starts := func(name string) bool { return all || slices.Contains(f.words[1:], name) }
	for name, tunnel := range c.Tunnels {
		if t, ok := parseTarget(fmt.Sprint(tunnel.Addr)); ok && starts(name) && len(found) < maxForwards {
			at := ""
			if tunnel.Domain != "" {
				at = "https://" + tunnel.Domain
			}
			found = append(found, ngrokForward(t, at))
		}
	}
	for _, e := range c.Endpoints {
		if t, ok := parseTarget(fmt.Sprint(e.Upstream.URL)); ok && starts(e.Name) && len(found) < maxForwards {
			found = append(found, ngrokForward(t, e.URL))
		}
	}
	return found
}

// askNgrok asks the agent API of ngrok (ngrok.com/docs/agent/api), which needs no login. It
// lists what is really published, so that the answer replaces the command line.
func askNgrok(a api, _ []string) (found []forward, complete, ok bool) {
	for _, at := range a.listening() {
		text, err := a.get(at, "/api/tunnels")
		if err != nil {
			continue
		}
		var answer struct {
			Tunnels *[]struct {
				PublicURL string `json:"public_url"`
				Config    struct {
					Addr string `json:"addr"`
				} `json:"config"`
			} `json:"tunnels"`
		}
		if json.Unmarshal(text, &answer) != nil || answer.Tunnels == nil {
			continue
		}
		for _, tunnel := range (*answer.Tunnels)[:min(len(*answer.Tunnels), maxForwards)] {
			if t, ok := parseTarget(tunnel.Config.Addr); ok {
				found = append(found, ngrokForward(t, tunnel.PublicURL))
			}
		}
		return found, true, true
	}
	return nil, false, false
}
