package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"porthole/monitor"
)

// Sentence is one English sentence of an explanation. The user interface looks
// Text up in its translations and inserts Data.
type Sentence struct {
	Text string         // with placeholders such as {{.Port}}
	Data map[string]any // values of the placeholders; cleaned
}

// String returns the sentence in English.
func (s Sentence) String() string {
	var pairs []string
	for name, value := range s.Data {
		pairs = append(pairs, "{{."+name+"}}", fmt.Sprint(value))
	}
	return strings.NewReplacer(pairs...).Replace(s.Text)
}

// The sentences of explanations.
const (
	textLoopback       = "{{.Address}} is the loopback address: this machine itself. What is sent there never leaves it."
	textLoopbackOther  = "{{.Address}} is a loopback address, as all of 127.0.0.0/8 are: this machine itself, but not the same as 127.0.0.1. What is sent there never leaves it."
	textLoopback6      = "{{.Address}} is the loopback address of IPv6, as 127.0.0.1 is that of IPv4: this machine itself. What is sent there never leaves it."
	textLoopbackBoth   = "127.0.0.1 and ::1 are the loopback addresses of IPv4 and IPv6: this machine itself. What is sent there never leaves it."
	textLocalhost      = "localhost is what every machine calls itself: 127.0.0.1, or ::1 where a program prefers IPv6. What is sent there never leaves it."
	textWildcard       = "{{.Address}} stands for every IPv4 address of this machine: loopback and those of its networks."
	textWildcard6      = "{{.Address}} stands for every IPv6 address of this machine, and unless a server refuses them for the IPv4 ones too: loopback and those of its networks."
	textWildcardBoth   = "0.0.0.0 and :: stand for every address of this machine: loopback and those of its networks."
	textLinkLocal      = "{{.Address}} is a link-local address: it holds among the machines on one cable or Wi-Fi, and no router passes it on."
	textPrivate        = "{{.Address}} is an address of a private network, such as one at home, in an office or of containers: its machines can use it, and the internet does not lead to it."
	textNetwork        = "{{.Address}} is an address of a network: other machines can use it, as far as that network lets them."
	textSpecial        = "{{.Address}} is no machine's own address: it is kept for groups of machines or for special use."
	textMapped         = "{{.Mapped}} is how an IPv6 socket writes {{.Address}}."
	textOnOtherMachine = "This machine does not have that address, so what listens there cannot be seen from here."

	textWellKnown         = "Port {{.Port}} is well-known (0–1023): such ports belong to services that everybody expects there, and many systems let only the administrator open them."
	textRegistered        = "Port {{.Port}} is registered (1024–49151): a public list names services for such ports, and any program may open it."
	textDynamic           = "Port {{.Port}} is dynamic (49152–65535): no service has a claim on it, and any program may take it for a while."
	textEphemeral         = "To programs that ask for any port this system gives one of {{.Ports}}: who has this one may just have been given it."
	textNotEphemeral      = "To programs that ask for any port this system gives one of {{.Ports}}, so who has this one asked for it by number."
	textReservedEphemeral = "To programs that ask for any port this system gives one of {{.Ports}}, but never this one, which is reserved."
	textUsualService      = "Its usual service is “{{.Service}}”, but any other can have it."

	textOwner            = "{{.Name}} (process {{.PID}}) listens at {{.At}} now."
	textOwnerService     = "{{.Name}} (process {{.PID}}) listens at {{.At}} now: {{.Service}}."
	textOwners           = "{{.Name}} (process {{.PID}}) and others listen at {{.At}} now."
	textOwnerUnknownUser = "A process of {{.User}} listens at {{.At}} now; which one cannot be seen from here."
	textOwnerUnknown     = "Something listens at {{.At}} now; who it is cannot be seen from here."
	textMoreListeners    = "Others have this port too."
	textFree             = "Nothing listens there now."
	textOtherListeners   = "Something listens on this port at {{.At}}; this address does not lead there."

	textExposureLoopback = "Only programs on this machine can reach it."
	textExposureNetwork  = "Other machines can reach it too, unless a firewall is in between."
	textNotOnLoopback    = "It does not answer at localhost."
)

// Texts returns the Text of every sentence, for translators.
func Texts() []string {
	return []string{
		textLoopback, textLoopbackOther, textLoopback6, textLoopbackBoth, textLocalhost, textWildcard, textWildcard6, textWildcardBoth, textLinkLocal,
		textPrivate, textNetwork, textSpecial, textMapped, textOnOtherMachine, textWellKnown, textRegistered, textDynamic, textEphemeral, textNotEphemeral, textReservedEphemeral,
		textUsualService, textOwner, textOwnerService, textOwners, textOwnerUnknownUser, textOwnerUnknown, textMoreListeners, textFree, textOtherListeners, textExposureLoopback, textExposureNetwork, textNotOnLoopback,
	}
}

// An explanation is one paragraph, so its parts are limited.
const (
	maxAddresses = 3
	maxListeners = 3
)

// Sentences returns the explanation: the address, the port, its owner, and who
// can reach it.
func (f Facts) Sentences() []Sentence {
	out := f.addressSentences()
	if f.OnOtherMachine {
		out = append(out, Sentence{Text: textOnOtherMachine})
	}
	if f.Target.Port == 0 {
		return out
	}
	out = append(out, f.portSentences()...)
	for i, l := range f.Listeners {
		if i == maxListeners {
			out = append(out, Sentence{Text: textMoreListeners})
			break
		}
		out = append(out, ownerSentence(l), exposureSentence(l))
		if l.Exposure == monitor.ExposureNetwork && !l.AcceptsLoopback() {
			out = append(out, Sentence{Text: textNotOnLoopback})
		}
	}
	if len(f.Listeners) == 0 && !f.OnOtherMachine {
		out = append(out, Sentence{Text: textFree})
	}
	if len(f.OtherListeners) > 0 {
		out = append(out, Sentence{textOtherListeners, map[string]any{"At": addressList(f.OtherListeners...)}})
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
func (f Facts) addressSentences() (out []Sentence) {
	if f.Target.Localhost {
		return []Sentence{{Text: textLocalhost}}
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
			out = append(out, Sentence{Text: both.text})
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
			out = append(out, Sentence{textMapped, map[string]any{"Mapped": a.String(), "Address": address}})
		}
		out = append(out, Sentence{text, map[string]any{"Address": address}})
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
func (f Facts) portSentences() []Sentence {
	ranges := map[PortRange]string{WellKnown: textWellKnown, Registered: textRegistered, Dynamic: textDynamic}
	out := []Sentence{{ranges[f.PortRange], map[string]any{"Port": f.Target.Port}}}
	if text := map[EphemeralStatus]string{Ephemeral: textEphemeral, NotEphemeral: textNotEphemeral, ReservedEphemeral: textReservedEphemeral}[f.Ephemeral]; text != "" {
		out = append(out, Sentence{text, map[string]any{"Ports": strings.ReplaceAll(f.system.EphemeralPorts.String(), "-", "–")}})
	}
	if f.UsualService != "" {
		out = append(out, Sentence{textUsualService, map[string]any{"Service": f.UsualService}})
	}
	return out
}

// ownerSentence says who owns l.
func ownerSentence(l *monitor.Listener) Sentence {
	data := map[string]any{"At": addressList(l)}
	o, known := l.Principal()
	if !known {
		if data["User"] = monitor.Clean(l.User, 60); data["User"] == "" {
			return Sentence{textOwnerUnknown, data}
		}
		return Sentence{textOwnerUnknownUser, data}
	}
	data["PID"] = o.PID
	if data["Name"] = monitor.Clean(o.Name, 60); data["Name"] == "" {
		data["Name"] = "?"
	}
	if len(l.Owners) > 1 {
		return Sentence{textOwners, data}
	}
	if data["Service"] = monitor.Clean(l.Service, 80); data["Service"] != "" && l.ServiceBy != monitor.ByPort {
		return Sentence{textOwnerService, data}
	}
	return Sentence{textOwner, data}
}

// exposureSentence says who can reach l.
func exposureSentence(l *monitor.Listener) Sentence {
	if l.Exposure == monitor.ExposureNetwork {
		return Sentence{Text: textExposureNetwork}
	}
	return Sentence{Text: textExposureLoopback}
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
