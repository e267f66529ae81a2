package explain

import (
	"net/netip"
	"slices"
	"strings"

	"porthole/monitor"
)

// The sentences of explanations.
const (
	textLoopback       = "{{.Address}} is the loopback address: this machine itself. Traffic to it never leaves the machine."
	textLoopbackOther  = "{{.Address}} is a loopback address, like all of 127.0.0.0/8, but different from 127.0.0.1. Traffic to it never leaves this machine."
	textLoopback6      = "{{.Address}} is the IPv6 loopback address, the counterpart of 127.0.0.1. Traffic to it never leaves this machine."
	textLoopbackBoth   = "127.0.0.1 and ::1 are the IPv4 and IPv6 loopback addresses. Traffic to them never leaves this machine."
	textLocalhost      = "localhost is this machine: 127.0.0.1, or ::1 if a program prefers IPv6. Traffic to it never leaves the machine."
	textWildcard       = "{{.Address}} means all IPv4 addresses of this machine, on loopback and on its networks."
	textWildcard6      = "{{.Address}} means all IPv6 addresses of this machine, on loopback and on its networks. It includes the IPv4 addresses unless the server asks for IPv6 only."
	textWildcardBoth   = "0.0.0.0 and :: mean all addresses of this machine, on loopback and on its networks."
	textLinkLocal      = "{{.Address}} is a link-local address: it works only between machines on the same cable or Wi-Fi. Routers do not forward it."
	textPrivate        = "{{.Address}} is an address in a private network, such as a home, office or container network. Machines in that network can use it; the internet cannot reach it."
	textNetwork        = "{{.Address}} is an address on a network: other machines can use it if that network allows it."
	textSpecial        = "{{.Address}} is not the address of a single machine: it is reserved for multicast, broadcast or other special use."
	textMapped         = "{{.Mapped}} is the IPv4 address {{.Address}} in IPv6 notation."
	textOnOtherMachine = "This machine does not have that address, so Porthole cannot see its listeners."

	textWellKnown         = "Port {{.Port}} is a well-known port (0–1023). These ports belong to standard services, and on many systems only an administrator can open them."
	textRegistered        = "Port {{.Port}} is a registered port (1024–49151). IANA lists services for these ports, but any program can open them."
	textDynamic           = "Port {{.Port}} is a dynamic port (49152–65535). It is not assigned to any service, and any program can use it."
	textEphemeral         = "The port is in the ephemeral port range of this system ({{.Ports}}), so it may have been assigned automatically."
	textNotEphemeral      = "The port is outside the ephemeral port range of this system ({{.Ports}}), so a program has to ask for it by number."
	textReservedEphemeral = "The port is in the ephemeral port range of this system ({{.Ports}}) but reserved, so it is never assigned automatically."
	textUsualService      = "The usual service on this port is “{{.Service}}”, but any program can use it."

	textOwner            = "{{.Name}} (PID {{.PID}}) listens on {{.At}}."
	textOwnerService     = "{{.Name}} (PID {{.PID}}, {{.Service}}) listens on {{.At}}."
	textOwners           = "{{.Name}} (PID {{.PID}}) and other processes listen on {{.At}}."
	textOwnerUnknownUser = "A process of {{.User}} listens on {{.At}}; Porthole cannot see which one."
	textOwnerUnknownUnit = "The systemd unit {{.Unit}} listens on {{.At}}; Porthole cannot see which process."
	textKernel           = "The Linux kernel itself uses {{.At}}, for example for VXLAN, WireGuard or NFS."
	textOwnerUnknown     = "A process listens on {{.At}}; Porthole cannot see which one."
	textMoreListeners    = "Other listeners use this port too."
	textFree             = "Nothing listens there."
	textOtherListeners   = "The same port is in use on {{.At}}. Connections to this address do not reach it."

	textExposureLoopback = "Local only: other machines cannot connect."
	textTunnel           = "{{.Tunnel}}."
	textPublic           = "Everybody on the internet can connect."
	textExposureNetwork  = "Exposed to the network: other machines can connect unless a firewall blocks them."
	textExposed          = "Exposed to the network."
	textExposedBlocked   = "Exposed to the network, but the firewall blocks connections from other machines."
	textNotOnLoopback    = "The port does not answer on localhost."
)

// Texts returns the Text of every sentence, for translators.
func Texts() []string {
	return []string{
		textLoopback, textLoopbackOther, textLoopback6, textLoopbackBoth, textLocalhost, textWildcard, textWildcard6, textWildcardBoth, textLinkLocal,
		textPrivate, textNetwork, textSpecial, textMapped, textOnOtherMachine, textWellKnown, textRegistered, textDynamic, textEphemeral, textNotEphemeral, textReservedEphemeral,
		textUsualService, textOwner, textOwnerService, textOwners, textOwnerUnknownUser, textOwnerUnknownUnit, textKernel, textOwnerUnknown, textMoreListeners, textFree, textOtherListeners, textExposureLoopback, textTunnel, textPublic, textExposureNetwork, textExposed, textExposedBlocked, textNotOnLoopback,
	}
}

// An explanation is one paragraph, so its parts are limited.
const (
	maxAddresses = 3
	maxListeners = 3
)

// Sentences returns the explanation: the address, the port, its owner, and who
// can reach it.
func (f Facts) Sentences() []monitor.Sentence {
	out := f.addressSentences()
	if f.OnOtherMachine {
		out = append(out, monitor.Sentence{Text: textOnOtherMachine})
	}
	if f.Target.Port == 0 {
		return out
	}
	out = append(out, f.portSentences()...)
	for i, l := range f.Listeners {
		if i == maxListeners {
			out = append(out, monitor.Sentence{Text: textMoreListeners})
			break
		}
		out = append(out, ownerSentence(l))
		out = append(out, exposureSentences(l, f.system.Firewall[l.ID])...)
		if l.OnNetwork() && !l.AcceptsLoopback() {
			out = append(out, monitor.Sentence{Text: textNotOnLoopback})
		}
	}
	if len(f.Listeners) == 0 && !f.OnOtherMachine {
		out = append(out, monitor.Sentence{Text: textFree})
	}
	if len(f.OtherListeners) > 0 {
		out = append(out, monitor.Sentence{Text: textOtherListeners, Data: map[string]any{"At": addressList(f.OtherListeners...)}})
	}
	return out
}

// String returns the explanation in English, as one paragraph.
func (f Facts) String() string {
	var words []string
	for _, s := range f.Sentences() {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

// addressSentences describes the addresses. Pairs that servers usually use
// together (127.0.0.1 and ::1, 0.0.0.0 and ::) get one sentence.
func (f Facts) addressSentences() (out []monitor.Sentence) {
	if f.Target.Localhost {
		return []monitor.Sentence{{Text: textLocalhost}}
	}
	rest := slices.Clone(f.Addresses)
	for _, both := range []struct {
		four, six netip.Addr
		text      string
	}{
		{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback(), textLoopbackBoth},
		{netip.IPv4Unspecified(), netip.IPv6Unspecified(), textWildcardBoth},
	} {
		if slices.Contains(rest, both.four) && slices.Contains(rest, both.six) {
			rest = slices.DeleteFunc(rest, func(a netip.Addr) bool { return a == both.four || a == both.six })
			out = append(out, monitor.Sentence{Text: both.text})
		}
	}
	seen := map[string]bool{}
	for _, a := range rest {
		text := addressText(a.Unmap())
		if seen[text] || len(out) == maxAddresses {
			continue
		}
		seen[text] = true
		address := monitor.Clean(a.Unmap().String(), 80)
		if a.Is4In6() {
			out = append(out, monitor.Sentence{Text: textMapped, Data: map[string]any{"Mapped": a.String(), "Address": address}})
		}
		out = append(out, monitor.Sentence{Text: text, Data: map[string]any{"Address": address}})
	}
	return out
}

// addressText returns the sentence for an address.
func addressText(a netip.Addr) string {
	switch kind := KindOf(a); {
	case kind == Loopback && a.Is6():
		return textLoopback6
	case kind == Loopback && a == netip.AddrFrom4([4]byte{127, 0, 0, 1}):
		return textLoopback
	case kind == Loopback:
		return textLoopbackOther
	case kind == Wildcard && a.Is6():
		return textWildcard6
	case kind == Wildcard:
		return textWildcard
	case kind == LinkLocal:
		return textLinkLocal
	case kind == Private:
		return textPrivate
	case kind == Special:
		return textSpecial
	}
	return textNetwork
}

// portSentences describes the port.
func (f Facts) portSentences() []monitor.Sentence {
	ranges := map[PortRange]string{WellKnown: textWellKnown, Registered: textRegistered, Dynamic: textDynamic}
	out := []monitor.Sentence{{Text: ranges[f.PortRange], Data: map[string]any{"Port": f.Target.Port}}}
	if text := map[EphemeralStatus]string{Ephemeral: textEphemeral, NotEphemeral: textNotEphemeral, ReservedEphemeral: textReservedEphemeral}[f.Ephemeral]; text != "" {
		out = append(out, monitor.Sentence{Text: text, Data: map[string]any{"Ports": strings.ReplaceAll(f.system.EphemeralPorts.String(), "-", "–")}})
	}
	if f.UsualService != "" {
		out = append(out, monitor.Sentence{Text: textUsualService, Data: map[string]any{"Service": f.UsualService}})
	}
	return out
}

// ownerSentence names the owner of l.
func ownerSentence(l *monitor.Listener) monitor.Sentence {
	data := map[string]any{"At": addressList(l)}
	o, known := l.Principal()
	if l.OwnerUnknown == monitor.UnknownKernel {
		return monitor.Sentence{Text: textKernel, Data: data}
	}
	if !known {
		if unit := monitor.Clean(l.Unit, 100); strings.HasSuffix(unit, ".service") || strings.HasSuffix(unit, ".socket") {
			data["Unit"] = unit
			return monitor.Sentence{Text: textOwnerUnknownUnit, Data: data}
		}
		if data["User"] = monitor.Clean(l.User, 60); data["User"] == "" {
			return monitor.Sentence{Text: textOwnerUnknown, Data: data}
		}
		return monitor.Sentence{Text: textOwnerUnknownUser, Data: data}
	}
	data["PID"] = o.PID
	if data["Name"] = monitor.Clean(o.Name, 60); data["Name"] == "" {
		data["Name"] = "?"
	}
	if len(l.Owners) > 1 {
		return monitor.Sentence{Text: textOwners, Data: data}
	}
	if data["Service"] = monitor.Clean(l.Service, 80); data["Service"] != "" && l.ServiceBy != monitor.ByPort {
		return monitor.Sentence{Text: textOwnerService, Data: data}
	}
	return monitor.Sentence{Text: textOwner, Data: data}
}

// exposureSentences describes who can reach l.
func exposureSentences(l *monitor.Listener, f monitor.Firewall) []monitor.Sentence {
	switch {
	case len(l.Tunnels) > 0:
		return tunnelSentences(l, f)
	case !l.Exposure.IsExposed():
		return []monitor.Sentence{{Text: textExposureLoopback}}
	case f.State == "":
		return []monitor.Sentence{{Text: textExposureNetwork}}
	case f.State == monitor.FirewallBlocked:
		return []monitor.Sentence{{Text: textExposedBlocked}}
	}
	return []monitor.Sentence{{Text: textExposed}, f.Sentence()}
}

// tunnelSentences is exposureSentences for a listener with tunnels.
func tunnelSentences(l *monitor.Listener, f monitor.Firewall) (out []monitor.Sentence) {
	for _, t := range l.Tunnels {
		out = append(out, monitor.Sentence{Text: textTunnel, Data: map[string]any{"Tunnel": t.Sentence()}})
	}
	if _, public := l.PublicTunnel(); public {
		out = append(out, monitor.Sentence{Text: textPublic})
	}
	if f.State != "" && l.OnNetwork() {
		out = append(out, f.Sentence())
	}
	return out
}

// addressList returns the addresses of listeners with their port:
// "127.0.0.1:80, [::1]:80".
func addressList(listeners ...*monitor.Listener) string {
	const maxEntries = 4
	var entries []string
	for _, l := range listeners {
		for _, a := range l.Addresses {
			text := monitor.Clean(netip.AddrPortFrom(a, l.Port).String(), 80)
			if l.Protocol == monitor.UDP {
				text += " (UDP)"
			}
			entries = append(entries, text)
		}
	}
	if len(entries) > maxEntries {
		entries = append(entries[:maxEntries], "…")
	}
	return strings.Join(entries, ", ")
}
