package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"unicode/utf8"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// explainJSON is the answer of explain --json: fields are added, never renamed.
// What was not asked for, or is not known, is absent.
type explainJSON struct {
	Address   netip.Addr              `json:"address,omitzero"`
	Localhost bool                    `json:"localhost,omitempty"` // the name was asked for, not an address
	Kind      explain.Kind            `json:"address_kind,omitempty"`
	Elsewhere bool                    `json:"elsewhere,omitempty"` // another machine's address
	Port      uint16                  `json:"port,omitempty"`
	Range     explain.PortRange       `json:"range,omitempty"`
	HandedOut explain.EphemeralStatus `json:"handed_out,omitempty"` // by this system by itself: yes, no or reserved
	Usual     string                  `json:"usual_service,omitempty"`
	Listeners []listenerJSON          `json:"listeners"`        // that the address leads to
	Beside    []listenerJSON          `json:"beside,omitempty"` // at this port, and not reached by the address
	Text      string                  `json:"text"`             // the explanation in English
}

// Explain prints what an address and a port mean, in one paragraph.
func Explain(ctx context.Context, target string, o Options) error {
	t, err := explain.Parse(target)
	if err != nil {
		return UsageError{err.Error()}
	}
	o.All = true // whoever asks for one port wants whoever has it
	q, err := newQuery(nil, o)
	if err != nil {
		return err
	}
	var s monitor.Snapshot
	if t.Port != 0 {
		q.ports = monitor.Ports{{First: t.Port, Last: t.Port}}
		if s, err = q.poll(ctx, owner.New()); err != nil {
			return err
		}
	}
	facts := explain.NewFacts(t, s.Listeners, systemFacts())
	if o.JSON {
		return writeLine(o.Stdout, q.explainJSON(facts))
	}
	_, err = fmt.Fprintln(o.Stdout, wrap(facts.String(), paragraphWidth))
	return err
}

func (q query) explainJSON(f explain.Facts) explainJSON {
	out := explainJSON{Address: f.Target.Address, Localhost: f.Target.Localhost, Elsewhere: f.OnOtherMachine, Port: f.Target.Port, Range: f.PortRange, HandedOut: f.Ephemeral,
		Usual: f.UsualService, Listeners: []listenerJSON{}, Text: f.String()}
	if f.Target.Address.IsValid() {
		out.Kind = explain.KindOf(f.Target.Address)
	}
	for _, l := range f.Listeners {
		out.Listeners = append(out.Listeners, q.listenerJSON(l))
	}
	for _, l := range f.OtherListeners {
		out.Beside = append(out.Beside, q.listenerJSON(l))
	}
	return out
}

// systemFacts is what this machine does with addresses and ports, as far as it
// tells.
func systemFacts() explain.System {
	var s explain.System
	s.EphemeralPorts, s.ReservedPorts = socket.EphemeralPorts()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return s
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			s.Addresses = append(s.Addresses, prefix.Addr())
		}
	}
	return s
}

// paragraphWidth is how long the lines of a paragraph are.
const paragraphWidth = 79

// wrap breaks a text of words into lines of at most width runes, where no word is
// longer.
func wrap(text string, width int) string {
	var out strings.Builder
	used := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > width:
			out.WriteByte('\n')
			used = 0
		default:
			out.WriteByte(' ')
			used++
		}
		out.WriteString(word)
		used += n
	}
	return out.String()
}
