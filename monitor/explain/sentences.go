package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"porthole/monitor"
)

// Sentence is one sentence of an explanation, in English: the window looks Text
// up among its translations and gives it Data.
type Sentence struct {
	Text string         // with places like {{.Port}}
	Data map[string]any // what belongs there; clean
}

// String is the sentence in English.
func (s Sentence) String() string {
	var pairs []string
	for name, value := range s.Data {
		pairs = append(pairs, "{{."+name+"}}", fmt.Sprint(value))
	}
	return strings.NewReplacer(pairs...).Replace(s.Text)
}

// All that an explanation can say.
const (
	sayLoopback      = "{{.Address}} is the loopback address: this machine itself. What is sent there never leaves it."
	sayLoopbackOther = "{{.Address}} is a loopback address, as all of 127.0.0.0/8 are: this machine itself, but not the same as 127.0.0.1. What is sent there never leaves it."
	sayLoopback6     = "{{.Address}} is the loopback address of IPv6, as 127.0.0.1 is that of IPv4: this machine itself. What is sent there never leaves it."
	sayLoopbackBoth  = "127.0.0.1 and ::1 are the loopback addresses of IPv4 and IPv6: this machine itself. What is sent there never leaves it."
	sayLocalhost     = "localhost is what every machine calls itself: 127.0.0.1, or ::1 where a program prefers IPv6. What is sent there never leaves it."
	sayWildcard      = "{{.Address}} stands for every IPv4 address of this machine: loopback and those of its networks."
	sayWildcard6     = "{{.Address}} stands for every IPv6 address of this machine, and unless a server refuses them for the IPv4 ones too: loopback and those of its networks."
	sayWildcardBoth  = "0.0.0.0 and :: stand for every address of this machine: loopback and those of its networks."
	sayLinkLocal     = "{{.Address}} is a link-local address: it holds among the machines on one cable or Wi-Fi, and no router passes it on."
	sayPrivate       = "{{.Address}} is an address of a private network, such as one at home, in an office or of containers: its machines can use it, and the internet does not lead to it."
	sayNetwork       = "{{.Address}} is an address of a network: other machines can use it, as far as that network lets them."
	saySpecial       = "{{.Address}} is no machine's own address: it is kept for groups of machines or for special use."
	sayMapped        = "{{.Mapped}} is how an IPv6 socket writes {{.Address}}."
	sayElsewhere     = "This machine does not have that address, so what listens there cannot be seen from here."

	sayWellKnown  = "Port {{.Port}} is well-known (0–1023): such ports belong to services that everybody expects there, and many systems let only the administrator open them."
	sayRegistered = "Port {{.Port}} is registered (1024–49151): a public list names services for such ports, and any program may open it."
	sayDynamic    = "Port {{.Port}} is dynamic (49152–65535): no service has a claim on it, and any program may take it for a while."
	sayGiven      = "To programs that ask for any port this system gives one of {{.Ports}}: who has this one may just have been given it."
	sayNotGiven   = "To programs that ask for any port this system gives one of {{.Ports}}, so who has this one asked for it by number."
	sayReserved   = "To programs that ask for any port this system gives one of {{.Ports}}, but never this one, which is reserved."
	sayUsual      = "Its usual service is “{{.Service}}”, but any other can have it."

	sayHolder   = "{{.Name}} (process {{.PID}}) listens at {{.At}} now."
	sayHolderAs = "{{.Name}} (process {{.PID}}) listens at {{.At}} now: {{.Service}}."
	sayHolders  = "{{.Name}} (process {{.PID}}) and others listen at {{.At}} now."
	sayHidden   = "A process of {{.User}} listens at {{.At}} now; which one cannot be seen from here."
	sayUnseen   = "Something listens at {{.At}} now; who it is cannot be seen from here."
	sayMore     = "Others have this port too."
	sayFree     = "Nothing listens there now."
	sayBeside   = "Something listens on this port at {{.At}}; this address does not lead there."

	sayMachine   = "Only programs on this machine can reach it."
	sayReachable = "Other machines can reach it too, unless a firewall is in between."
	sayNotLocal  = "It does not answer at localhost."
)

// Texts are the Texts of all sentences, for those who translate them.
func Texts() []string {
	return []string{
		sayLoopback, sayLoopbackOther, sayLoopback6, sayLoopbackBoth, sayLocalhost, sayWildcard, sayWildcard6, sayWildcardBoth, sayLinkLocal,
		sayPrivate, sayNetwork, saySpecial, sayMapped, sayElsewhere, sayWellKnown, sayRegistered, sayDynamic, sayGiven, sayNotGiven, sayReserved,
		sayUsual, sayHolder, sayHolderAs, sayHolders, sayHidden, sayUnseen, sayMore, sayFree, sayBeside, sayMachine, sayReachable, sayNotLocal,
	}
}

// An explanation is a paragraph: no more of one kind than so many.
const (
	maxAddresses = 3
	maxListeners = 3
)

// Sentences are the explanation: what the address is, what the port is, who has
// it, who can reach it.
func (f Facts) Sentences() []Sentence {
	out := f.addresses()
	if f.Elsewhere {
		out = append(out, Sentence{Text: sayElsewhere})
	}
	if f.Target.Port == 0 {
		return out
	}
	out = append(out, f.port()...)
	for i, l := range f.Listeners {
		if i == maxListeners {
			out = append(out, Sentence{Text: sayMore})
			break
		}
		out = append(out, holder(l), reach(l))
		if l.Reach == monitor.TheNetwork && !l.Loopback() {
			out = append(out, Sentence{Text: sayNotLocal})
		}
	}
	if len(f.Listeners) == 0 && !f.Elsewhere {
		out = append(out, Sentence{Text: sayFree})
	}
	if len(f.Beside) > 0 {
		out = append(out, Sentence{sayBeside, map[string]any{"At": at(f.Beside...)}})
	}
	return out
}

// String is the explanation in English, one paragraph.
func (f Facts) String() string {
	var words []string
	for _, s := range f.Sentences() {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

// addresses says what the addresses are, those of two kinds in one sentence where
// servers usually have both.
func (f Facts) addresses() (out []Sentence) {
	if f.Target.Localhost {
		return []Sentence{{Text: sayLocalhost}}
	}
	left := slices.Clone(f.Addresses)
	for _, both := range []struct {
		four, six netip.Addr
		text      string
	}{
		{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback(), sayLoopbackBoth},
		{netip.IPv4Unspecified(), netip.IPv6Unspecified(), sayWildcardBoth},
	} {
		if slices.Contains(left, both.four) && slices.Contains(left, both.six) {
			left = slices.DeleteFunc(left, func(a netip.Addr) bool { return a == both.four || a == both.six })
			out = append(out, Sentence{Text: both.text})
		}
	}
	said := map[string]bool{}
	for _, a := range left {
		text := addressText(a.Unmap())
		if said[text] || len(out) == maxAddresses {
			continue
		}
		said[text] = true
		words := monitor.Clean(a.Unmap().String(), 80)
		if a.Is4In6() {
			out = append(out, Sentence{sayMapped, map[string]any{"Mapped": a.String(), "Address": words}})
		}
		out = append(out, Sentence{text, map[string]any{"Address": words}})
	}
	return out
}

func addressText(a netip.Addr) string {
	switch kind := KindOf(a); {
	case kind == Loopback && a.Is6():
		return sayLoopback6
	case kind == Loopback && a == netip.AddrFrom4([4]byte{127, 0, 0, 1}):
		return sayLoopback
	case kind == Loopback:
		return sayLoopbackOther
	case kind == Wildcard && a.Is6():
		return sayWildcard6
	case kind == Wildcard:
		return sayWildcard
	case kind == LinkLocal:
		return sayLinkLocal
	case kind == Private:
		return sayPrivate
	case kind == Special:
		return saySpecial
	}
	return sayNetwork
}

// port says what the port is.
func (f Facts) port() []Sentence {
	ranges := map[Range]string{WellKnown: sayWellKnown, Registered: sayRegistered, Dynamic: sayDynamic}
	out := []Sentence{{ranges[f.Range], map[string]any{"Port": f.Target.Port}}}
	if text := map[Given]string{GivenYes: sayGiven, GivenNo: sayNotGiven, GivenReserved: sayReserved}[f.Given]; text != "" {
		out = append(out, Sentence{text, map[string]any{"Ports": strings.ReplaceAll(f.system.HandsOut.String(), "-", "–")}})
	}
	if f.Usual != "" {
		out = append(out, Sentence{sayUsual, map[string]any{"Service": f.Usual}})
	}
	return out
}

// holder says who has l.
func holder(l *monitor.Listener) Sentence {
	data := map[string]any{"At": at(l)}
	o, seen := l.Principal()
	if !seen {
		if data["User"] = monitor.Clean(l.User, 60); data["User"] == "" {
			return Sentence{sayUnseen, data}
		}
		return Sentence{sayHidden, data}
	}
	data["PID"] = o.PID
	if data["Name"] = monitor.Clean(o.Name, 60); data["Name"] == "" {
		data["Name"] = "?"
	}
	if len(l.Owners) > 1 {
		return Sentence{sayHolders, data}
	}
	if data["Service"] = monitor.Clean(l.Service, 80); data["Service"] != "" && l.ServiceBy != monitor.ByPort {
		return Sentence{sayHolderAs, data}
	}
	return Sentence{sayHolder, data}
}

func reach(l *monitor.Listener) Sentence {
	if l.Reach == monitor.TheNetwork {
		return Sentence{Text: sayReachable}
	}
	return Sentence{Text: sayMachine}
}

// at are the addresses of listeners with their port: "127.0.0.1:80, [::1]:80".
func at(listeners ...*monitor.Listener) string {
	const most = 4
	var words []string
	for _, l := range listeners {
		for _, a := range l.Addresses {
			text := monitor.Clean(netip.AddrPortFrom(a, l.Port).String(), 80)
			if l.Protocol == monitor.UDP {
				text += " (UDP)"
			}
			words = append(words, text)
		}
	}
	if len(words) > most {
		words = append(words[:most], "…")
	}
	return strings.Join(words, ", ")
}
