package tunnel

import (
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
)

// cloudflaredSwitches are the flags of cloudflared without a value, of those that may precede
// the ones that count.
var cloudflaredSwitches = []string{"no-autoupdate", "hello-world", "no-tls-verify", "http2-origin", "no-chunked-encoding", "bastion", "post-quantum", "is-autoupdated", "overwrite-dns"}

// parseCloudflared parses "cloudflared tunnel --url http://localhost:8080", also with run and the
// name of a tunnel. In "cloudflared access", --url is where it listens itself.
func parseCloudflared(args []string) []forward {
	f := parseFlags(args, cloudflaredSwitches)
	if slices.Contains(f.words, "access") || f.word(0) != "tunnel" && f.word(0) != "" {
		return nil
	}
	t, ok := parseTarget(f.value("url"))
	if !ok {
		return nil
	}
	return []forward{{target: t, reach: monitor.ReachInternet, url: cleanName(f.value("hostname"))}}
}

// cleanName returns the URL of a host name that cloudflared publishes; "" if it is none.
func cleanName(name string) string {
	if name = cleanHost(name); name == "" || strings.HasPrefix(name, ".") {
		return ""
	}
	return "https://" + name
}

func cloudflaredFile(args []string) string {
	f := parseFlags(args, cloudflaredSwitches)
	if f.word(0) != "tunnel" && f.word(0) != "" {
		return ""
	}
	return f.value("config")
}

// ingress is a rule of cloudflared: what comes for hostname goes to service
// (developers.cloudflare.com, "Configuration file").
type ingress struct {
	Hostname string `yaml:"hostname" json:"hostname"`
	Service  string `yaml:"service" json:"service"`
}

// readCloudflared reads the configuration file of cloudflared.
func readCloudflared(_ []string, text []byte) []forward {
	var c struct {
		URL     string    `yaml:"url"`
		Ingress []ingress `yaml:"ingress"`
	}
	if yaml.Unmarshal(text, &c) != nil {
		return nil
	}
	return ingressForwards(append(c.Ingress, ingress{Service: c.URL}))
}

// maxForwards limits how many forwards of one process are used.
const maxForwards = 64

func ingressForwards(rules []ingress) (found []forward) {
	for _, rule := range rules[:min(len(rules), maxForwards)] {
		if t, ok := parseTarget(rule.Service); ok && t.host != "http_status" {
			found = append(found, forward{target: t, reach: monitor.ReachInternet, url: cleanName(rule.Hostname)})
		}
	}
	return found
}

// askCloudflared asks the metrics server of cloudflared for the host name of a quick tunnel
// and for the rules that it got from its operator (cloudflared/metrics/metrics.go): both are
// only there in some versions and kinds of tunnels.
func askCloudflared(a api, args []string) (found []forward, complete, ok bool) {
	var quick struct {
		Hostname string `json:"hostname"`
	}
	var c struct {
		Config struct {
			Ingress []ingress `json:"ingress"`
		} `json:"config"`
	}
	for _, at := range a.listening() {
		if text, err := a.get(at, "/quicktunnel"); err == nil && json.Unmarshal(text, &quick) == nil && cleanName(quick.Hostname) != "" {
			found = parseCloudflared(args)
			for i := range found {
				found[i].url = cleanName(quick.Hostname)
			}
			return found, true, len(found) > 0
		}
		if text, err := a.get(at, "/config"); err == nil && json.Unmarshal(text, &c) == nil && len(c.Config.Ingress) > 0 {
			found = ingressForwards(c.Config.Ingress)
			return found, false, len(found) > 0
		}
	}
	return nil, false, false
}
