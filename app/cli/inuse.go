package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/inuse"
	"porthole/monitor/socket"
)

// useJSON is a socket that uses a port, other than the listeners in the answer.
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

// vacancyText describes whether a server can bind a port that nothing listens on, and
// if not, why. where is "" or " on loopback".
func vacancyText(ctx context.Context, a inuse.Answer, where string) string {
	last := ""
	if !a.ListensElsewhere() {
		last = lastOwnerText(ctx, a.Port, time.Now())
	}
	switch {
	case errors.Is(a.Err, errors.ErrUnsupported):
		return fmt.Sprintf("Nothing listens on %d%s. This system does not report other uses of a port.%s", a.Port, where, last)
	case a.Err != nil:
		return fmt.Sprintf("Nothing listens on %d%s. Whether a server can bind it is unknown: %v.%s", a.Port, where, a.Err, last)
	}
	return strings.TrimSpace(a.Headline().String()+" "+reasonsText(a.Uses)) + last
}

// reasonsText describes uses in English.
func reasonsText(uses []inuse.Use) string {
	ephemeral, _ := socket.EphemeralPorts()
	return sentencesText(inuse.Sentences(uses, ephemeral))
}

func sentencesText(sentences []monitor.Sentence) string {
	var out []string
	for _, s := range sentences {
		out = append(out, s.String())
	}
	return strings.Join(out, " ")
}
