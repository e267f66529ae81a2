package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/socket"
)

// useJSON is a socket that has a port and is no listener that the answer shows.
type useJSON struct {
	Kind         inuse.Kind       `json:"kind"` // listening, bound, connected or time_wait
	Protocol     monitor.Protocol `json:"protocol"`
	Local        netip.AddrPort   `json:"local"`
	Remote       netip.AddrPort   `json:"remote,omitzero"`
	State        string           `json:"state,omitempty"` // the TCP state
	Device       string           `json:"device,omitempty"`
	User         string           `json:"user,omitempty"`
	Owners       []ownerJSON      `json:"owners,omitempty"`
	OwnerUnknown string           `json:"owner_unknown,omitempty"`
	Expires      float64          `json:"expires_in_seconds,omitempty"`
}

func (q query) usesJSON(uses []inuse.Use) []useJSON {
	var out []useJSON
	for _, u := range uses {
		one := useJSON{
			Kind: u.Kind, Protocol: u.Protocol, Local: u.Local, Remote: u.Remote, State: u.State, Device: u.Device, User: u.User,
			OwnerUnknown: u.OwnerUnknown, Expires: u.Expires.Seconds(),
		}
		for _, o := range u.Owners {
			one.Owners = append(one.Owners, q.ownerJSON(o))
		}
		out = append(out, one)
	}
	return out
}

// vacancy describes a port that nothing listens on.
type vacancy struct {
	port uint16
	uses []inuse.Use
	err  error // why the uses are unknown
}

func findVacancy(ctx context.Context, port uint16) vacancy {
	uses, err := inuse.Find(ctx, port)
	return vacancy{port, uses, err}
}

// text describes whether a server can bind the port, and if not, why. where is
// "" or " on loopback".
func (v vacancy) text(ctx context.Context, where string) string {
	last := lastOwnerText(ctx, v.port, time.Now())
	switch {
	case errors.Is(v.err, errors.ErrUnsupported):
		return fmt.Sprintf("Nothing listens on %d%s. This system does not report other uses of a port.%s", v.port, where, last)
	case v.err != nil:
		return fmt.Sprintf("Nothing listens on %d%s. Whether a server can bind it is unknown: %v.%s", v.port, where, v.err, last)
	case len(v.uses) == 0:
		return fmt.Sprintf("%d is free%s.%s", v.port, where, last)
	case len(v.blocking()) == 0:
		return fmt.Sprintf("%d is free%s for TCP. %s%s", v.port, where, v.reasons(v.uses), last)
	}
	return fmt.Sprintf("Nothing listens on %d%s, but the port is not free. %s%s", v.port, where, v.reasons(v.uses), last)
}

// blocking returns the uses that can keep a TCP server from binding all addresses.
func (v vacancy) blocking() []inuse.Use { return inuse.TCP(v.uses, netip.IPv6Unspecified()) }

func (v vacancy) reasons(uses []inuse.Use) string {
	ephemeral, _ := socket.EphemeralPorts()
	return sentencesText(inuse.Sentences(uses, ephemeral))
}

func sentencesText(sentences []explain.Sentence) string {
	var out []string
	for _, s := range sentences {
		out = append(out, s.String())
	}
	return strings.Join(out, " ")
}
