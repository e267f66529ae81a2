package monitor

import (
	"net/netip"
	"slices"
)

// Tunnel is a program that carries connections from elsewhere to a listener. Its strings
// are clean, and contain no secrets.
type Tunnel struct {
	Through string      `json:"through"`        // name of the program: "ngrok", "ssh -R"
	Reach   TunnelReach `json:"reach"`          // who can connect through it
	URL     string      `json:"url,omitempty"`  // where it can be reached, without path and login; "" if unknown
	Host    string      `json:"host,omitempty"` // the other machine, if Reach is ReachHost; "" if unknown
	PID     int         `json:"pid"`            // of the program
}

// TunnelReach is the set of clients that can connect through a tunnel.
type TunnelReach string

// The reaches. Readers must ignore unknown ones.
const (
	ReachInternet TunnelReach = "internet" // everybody
	ReachTailnet  TunnelReach = "tailnet"  // the machines of the user's Tailscale network
	ReachAccount  TunnelReach = "account"  // who has the same account at the operator of the tunnel
	ReachHost     TunnelReach = "host"     // at least the programs on another machine, depending on its settings
)

// The sentences about a tunnel, without a full stop. The user interface looks them up in
// its translations.
const (
	textTunnelPublic      = "Public through {{.Through}}"
	textTunnelPublicAt    = "Public through {{.Through}}: {{.URL}}"
	textTunnelTailnet     = "Reachable in the tailnet through {{.Through}}"
	textTunnelTailnetAt   = "Reachable in the tailnet through {{.Through}}: {{.URL}}"
	textTunnelAccount     = "Reachable for the same account through {{.Through}}"
	textTunnelAccountAt   = "Reachable for the same account through {{.Through}}: {{.URL}}"
	textTunnelHost        = "Reachable on {{.Host}} through {{.Through}}"
	textTunnelUnknownHost = "Reachable on another machine through {{.Through}}"
)

// TunnelTexts returns the Text of every sentence about a tunnel, for translators.
func TunnelTexts() []string {
	return []string{textTunnelPublic, textTunnelPublicAt, textTunnelTailnet, textTunnelTailnetAt, textTunnelAccount, textTunnelAccountAt, textTunnelHost, textTunnelUnknownHost}
}

// Sentence says who can connect through t, and where.
func (t Tunnel) Sentence() Sentence {
	texts, at := [2]string{textTunnelPublic, textTunnelPublicAt}, t.URL != ""
	switch t.Reach {
	case ReachTailnet:
		texts = [2]string{textTunnelTailnet, textTunnelTailnetAt}
	case ReachAccount:
		texts = [2]string{textTunnelAccount, textTunnelAccountAt}
	case ReachHost:
		texts, at = [2]string{textTunnelUnknownHost, textTunnelHost}, t.Host != ""
	}
	text := texts[0]
	if at {
		text = texts[1]
	}
	return Sentence{Text: text, Data: map[string]any{"Through": t.Through, "URL": t.URL, "Host": t.Host}}
}

// exposure returns the exposure of a listener that has no way in but t.
func (t Tunnel) exposure() Exposure {
	if t.Reach == ReachInternet {
		return ExposurePublic
	}
	return ExposureNetwork
}

// SetTunnels stores the tunnels to l, and widens its exposure accordingly. Only who
// describes a new listener may call it.
func (l *Listener) SetTunnels(tunnels []Tunnel) {
	l.Tunnels, l.Exposure = tunnels, widestExposure(l.Sockets)
	for _, t := range tunnels {
		if e := t.exposure(); e.WiderThan(l.Exposure) {
			l.Exposure = e
		}
	}
}

// PublicTunnel returns the first tunnel through which everybody on the internet can reach l,
// preferring one whose URL is known, and false if there is none.
func (l *Listener) PublicTunnel() (first Tunnel, ok bool) {
	for _, t := range l.Tunnels {
		if t.Reach == ReachInternet && (!ok || first.URL == "" && t.URL != "") {
			first, ok = t, true
		}
	}
	return first, ok
}

// OnNetwork reports whether a socket of l is bound to an address that the network can
// reach: a firewall decides about that, but not about tunnels.
func (l *Listener) OnNetwork() bool {
	if len(l.Tunnels) == 0 {
		return l.Exposure == ExposureNetwork
	}
	if len(l.Sockets) > 0 {
		return widestExposure(l.Sockets) == ExposureNetwork
	}
	return slices.ContainsFunc(l.Addresses, func(a netip.Addr) bool { return ExposureOf(a) == ExposureNetwork })
}
