package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

func newExplain() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "explain ADDRESS | PORT | ADDRESS:PORT | URL | LINE",
		Short: "Explain what an address and a port mean, who listens there and who can connect",
		Long: `Explain what an address and a port mean, who listens there and who can connect.

LINE is a line with an address and a port, such as the error of a server that could
not start. It needs quotes only if it contains characters of the shell.`,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && areTargets(args) {
				return UsageError{"explain takes one target; porthole who takes several"}
			}
			return runExplain(c.Context(), strings.Join(args, " "), o)
		},
	}
	o.addJSON(c, "print one JSON object")
	o.addUDP(c)
	o.addConnect(c, "make one TCP connection to the target and report whether something answers")
	return c
}

// explainJSON is the output of explain --json. Fields that do not apply or are
// unknown are absent.
type explainJSON struct {
	Address        netip.Addr              `json:"address,omitzero"`
	Localhost      bool                    `json:"localhost,omitempty"` // the target was the name, not an address
	Kind           explain.Kind            `json:"address_kind,omitempty"`
	OtherMachine   bool                    `json:"on_other_machine,omitempty"` // this machine does not have the address
	Port           uint16                  `json:"port,omitempty"`
	Range          explain.PortRange       `json:"port_range,omitempty"`
	Ephemeral      explain.EphemeralStatus `json:"ephemeral,omitempty"` // yes, no or reserved
	UsualService   string                  `json:"usual_service,omitempty"`
	Listeners      []listenerJSON          `json:"listeners"`                 // those that accept connections to the address
	OtherListeners []listenerJSON          `json:"other_listeners,omitempty"` // those on the port that do not
	InUse          []useJSON               `json:"in_use,omitempty"`          // what else uses the port if nothing listens
	TestConnection *testConnectionJSON     `json:"test_connection,omitempty"` // absent without --connect
	Text           string                  `json:"text"`                      // the explanation in English
}

// textFirewall is added if nothing listens.
const textFirewall = " A firewall rule can still redirect connections to another port; Porthole does not read these rules, but explain --connect makes a test connection."

// runExplain prints one paragraph about target, or the same facts as JSON.
func runExplain(ctx context.Context, target string, o Options) error {
	t, err := explain.Parse(target)
	if err != nil {
		return UsageError{err.Error()}
	}
	o.All = true // a single target: show it regardless of its address
	q, err := newQuery(nil, o)
	if err != nil {
		return err
	}
	var s monitor.Snapshot
	if o.Connect && t.Port == 0 {
		return UsageError{"--connect needs a port"}
	}
	if t.Port != 0 {
		q.ports = monitor.Ports{{First: t.Port, Last: t.Port}}
		if s, err = q.scan(ctx, owner.New()); err != nil {
			return err
		}
	}
	if !o.JSON {
		q.noteMissing(s.Listeners)
	}
	q.firewall = askFirewall(ctx, s.Listeners)
	system := systemFacts()
	system.Firewall = q.firewall
	facts := explain.NewFacts(t, s.Listeners, system)
	text := facts.String()
	var uses []inuse.Use
	if t.Port != 0 && len(facts.Listeners) == 0 && !facts.OnOtherMachine {
		uses = inuse.Ask(ctx, t.Port).Uses
		// The explanation names other listeners itself.
		more := slices.DeleteFunc(slices.Clone(uses), func(u inuse.Use) bool {
			return u.Kind == inuse.Listening && u.Protocol == monitor.TCP
		})
		text += orElse(" ", reasonsText(more))
		if !o.Connect {
			text += textFirewall
		}
	}
	if slices.ContainsFunc(facts.Listeners, canTap) {
		text += fmt.Sprintf(" To see what clients say to it, connect them to “porthole tap %d”.", t.Port)
	}
	var tried *testConnectionJSON
	if o.Connect && t.Port != 0 {
		tried = testConnection(ctx, t)
		text += " " + tried.text(len(facts.Listeners) > 0)
	}
	if o.JSON {
		out := q.explainJSON(facts)
		out.Text, out.InUse, out.TestConnection = text, q.usesJSON(uses), tried
		return writeLine(o.Stdout, out)
	}
	_, err = fmt.Fprintln(o.Stdout, wrap(text, paragraphWidth))
	return err
}

// canTap reports whether a tap can forward to l.
func canTap(l *monitor.Listener) bool {
	return l.Protocol == monitor.TCP && l.AcceptsLoopback() && !service.IsTap(l.Service)
}

func (q query) explainJSON(f explain.Facts) explainJSON {
	out := explainJSON{
		Address: f.Target.Address, Localhost: f.Target.Localhost, OtherMachine: f.OnOtherMachine, Port: f.Target.Port, Range: f.PortRange, Ephemeral: f.Ephemeral,
		UsualService: f.UsualService, Listeners: []listenerJSON{}, Text: f.String(),
	}
	if f.Target.Address.IsValid() {
		out.Kind = explain.KindOf(f.Target.Address)
	}
	for _, l := range f.Listeners {
		out.Listeners = append(out.Listeners, q.listenerJSON(l))
	}
	for _, l := range f.OtherListeners {
		out.OtherListeners = append(out.OtherListeners, q.listenerJSON(l))
	}
	return out
}

// systemFacts returns this machine's addresses and ephemeral ports, as far as
// they can be read.
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

// paragraphWidth is the line length of a paragraph, in characters.
const paragraphWidth = 79

// wrap breaks text at spaces into lines of at most width characters. A longer
// word gets its own line.
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
