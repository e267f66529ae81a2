package inuse

import (
	"net/netip"
	"slices"
	"time"

	"porthole/monitor"
)

// The sentences about a port that nothing listens on. The user interface looks them
// up in its translations. The data Holder and Local are sentences themselves.
const (
	textListening  = "{{.Holder}} listens on {{.Local}}, so another server can't bind that address or all addresses."
	textUDP        = "{{.Holder}} uses UDP port {{.Port}} ({{.Local}})."
	textUDPRemote  = "{{.Holder}} uses UDP port {{.Port}} ({{.Local}}) to talk to {{.Remote}}."
	textBound      = "{{.Holder}} has bound {{.Local}} without listening, so no other program can bind it."
	textBoundBoth  = "{{.Holder}} has bound {{.Local}} and {{.Other}} without listening, so no other program can bind them."
	textConnected  = "{{.Holder}} uses {{.Local}} as the local end of a connection to {{.Remote}}, so a server can't bind the port until the connection ends, unless both programs set SO_REUSEADDR."
	textHalfClosed = "{{.Holder}} uses {{.Local}} as the local end of a connection to {{.Remote}} that is half closed ({{.State}}), so a server can't bind the port until the connection ends, unless both programs set SO_REUSEADDR."
	textClosing    = "A connection from {{.Local}} to {{.Remote}} is closing ({{.State}}); no process holds it any more. A server can't bind the port until the connection ends, unless it sets SO_REUSEADDR."
	textTimeWait   = "A closed connection keeps {{.Local}} for another {{.Seconds}} s (TIME_WAIT), unless the server sets SO_REUSEADDR."
	textTimeWaits  = "{{.Count}} closed connections keep {{.Local}} for up to another {{.Seconds}} s (TIME_WAIT), unless the server sets SO_REUSEADDR."
	textMore       = "More sockets use the port: {{.Count}}."
	textEphemeral  = "The port is in the ephemeral port range of this system ({{.Ports}}), from which connections get their ports."

	textFree           = "{{.Port}} is free."
	textFreeTCP        = "{{.Port}} is free for TCP."
	textTaken          = "Nothing listens on {{.Port}}, but the port is not free."
	textTakenElsewhere = "Nothing listens on {{.Port}} on loopback, but the port is not free."
	textUnknown        = "Nothing listens on {{.Port}}."

	// Short enough for a card; what matters least comes last, because it may be truncated.
	briefListening = "{{.Holder}} on {{.Local}}"
	briefBound     = "{{.Holder}} has bound it"
	briefConnected = "{{.Holder}}: connection to {{.Remote}}"
	briefClosing   = "closing connection ({{.State}})"

	holderProcess    = "{{.Name}} (PID {{.PID}})"
	holderProcesses  = "{{.Name}} (PID {{.PID}}, and {{.Count}} more)"
	holderUser       = "A process of {{.User}}"
	holderKernel     = "The Linux kernel"
	holderNoFile     = "The Linux kernel or a process that uses io_uring"
	holderNotFound   = "The kernel or a process that Porthole can't see"
	holderOutside    = "A process outside this PID namespace"
	holderUnknown    = "A process that Porthole can't see"
	endpointAt       = "{{.Address}}"
	endpointOnDevice = "{{.Address}} on the interface {{.Device}}"
)

// Texts returns the Text of every sentence that has words, for translators.
func Texts() []string {
	return []string{
		textListening, textUDP, textUDPRemote, textBound, textBoundBoth, textConnected, textHalfClosed, textClosing, textTimeWait, textTimeWaits, textMore, textEphemeral,
		textFree, textFreeTCP, textTaken, textTakenElsewhere, textUnknown, briefListening, briefBound, briefConnected, briefClosing,
		holderProcesses, holderUser, holderKernel, holderNoFile, holderNotFound, holderOutside, holderUnknown, endpointOnDevice,
	}
}

// maxReasons limits how many sockets are described.
const maxReasons = 4

// Sentences describes who uses a port, with one sentence for each of the first uses,
// which are in the order of [Find]. ephemeral is the ephemeral port range, nil if it
// is unknown; it is named if the port is in it and is the end of a connection.
func Sentences(uses []Use, ephemeral monitor.Ports) []monitor.Sentence {
	var out []monitor.Sentence
	connected := false
	waiting := slices.DeleteFunc(slices.Clone(uses), func(u Use) bool { return u.Kind != TimeWait })
	rest := slices.DeleteFunc(slices.Clone(uses), func(u Use) bool { return u.Kind == TimeWait })
	for i, u := range rest {
		if i > 0 && rest[i-1].pairsWith(u) {
			continue
		}
		if len(out) == maxReasons {
			out = append(out, monitor.Sentence{Text: textMore, Data: map[string]any{"Count": len(rest) - i}})
			break
		}
		if i+1 < len(rest) && u.pairsWith(rest[i+1]) {
			s := u.sentence()
			s.Text, s.Data["Other"] = textBoundBoth, endpoint(rest[i+1].Local, rest[i+1].Device)
			out = append(out, s)
			continue
		}
		out = append(out, u.sentence())
		connected = connected || u.Kind == Connected && u.Protocol == monitor.TCP
	}
	if len(waiting) > 0 {
		longest := slices.MaxFunc(waiting, func(a, b Use) int { return int(a.Expires - b.Expires) })
		text := textTimeWaits
		if len(waiting) == 1 {
			text = textTimeWait
		}
		out = append(out, monitor.Sentence{Text: text, Data: map[string]any{
			"Count": len(waiting), "Local": endpoint(longest.Local, longest.Device), "Seconds": seconds(longest.Expires)}})
	}
	if connected && ephemeral.Contains(uses[0].Local.Port()) {
		out = append(out, monitor.Sentence{Text: textEphemeral, Data: map[string]any{"Ports": ephemeral.String()}})
	}
	return out
}

// TCP returns the uses that can keep a TCP server from binding address, a wildcard
// for all addresses.
func TCP(uses []Use, address netip.Addr) []Use {
	return slices.DeleteFunc(slices.Clone(uses), func(u Use) bool { return u.Protocol != monitor.TCP || !u.Blocks(address) })
}

// pairsWith reports whether u and v are the sockets of IPv4 and IPv6 that one process has bound
// to a port: one sentence describes both.
func (u Use) pairsWith(v Use) bool {
	return u.Kind == Bound && v.Kind == Bound && u.Protocol == v.Protocol && len(u.Owners) > 0 && len(v.Owners) > 0 && u.Owners[0].Same(v.Owners[0]) &&
		u.Local.Addr().Unmap().Is4() != v.Local.Addr().Unmap().Is4()
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (u Use) sentence() monitor.Sentence {
	data := map[string]any{"Holder": u.holder(), "Local": endpoint(u.Local, u.Device), "Port": u.Local.Port(), "State": u.State}
	if u.Remote.IsValid() {
		data["Remote"] = endpoint(u.Remote, "")
	}
	text := textConnected
	switch {
	case u.Protocol == monitor.UDP && u.Kind == Connected:
		text = textUDPRemote
	case u.Protocol == monitor.UDP:
		text = textUDP
	case u.Kind == Listening:
		text = textListening
	case u.Kind == Bound:
		text = textBound
	case len(u.Owners) == 0 && u.OwnerUnknown == "": // no inode: see findOwners
		text = textClosing
	case u.State != "ESTABLISHED":
		text = textHalfClosed
	}
	return monitor.Sentence{Text: text, Data: data}
}

// brief returns the reason in a few words, for places with one short line.
func (u Use) brief() monitor.Sentence {
	data := map[string]any{"Holder": u.holder(), "Local": onDevice(u.Local.Addr().Unmap().String(), u.Device), "State": u.State}
	if u.Remote.IsValid() {
		data["Remote"] = endpoint(u.Remote, "")
	}
	text := briefConnected
	switch {
	case u.Kind == Listening:
		text = briefListening
	case u.Kind == Bound:
		text = briefBound
	case u.Kind == TimeWait, len(u.Owners) == 0 && u.OwnerUnknown == "": // no inode: see findOwners
		text = briefClosing
	}
	return monitor.Sentence{Text: text, Data: data}
}

// holder names the first owner: "python3 (PID 812)".
func (u Use) holder() monitor.Sentence {
	if len(u.Owners) > 0 {
		o := u.Owners[0]
		data := map[string]any{"Name": orUnknown(monitor.Clean(o.Name, 60)), "PID": o.PID}
		if more := len(u.Owners) - 1; more > 0 {
			data["Count"] = more
			return monitor.Sentence{Text: holderProcesses, Data: data}
		}
		return monitor.Sentence{Text: holderProcess, Data: data}
	}
	switch u.OwnerUnknown {
	case monitor.UnknownForeign, monitor.UnknownProtected, monitor.UnknownRemoteForward:
		if user := monitor.Clean(u.User, 60); user != "" {
			return monitor.Sentence{Text: holderUser, Data: map[string]any{"User": user}}
		}
	case monitor.UnknownKernel:
		return monitor.Sentence{Text: holderKernel}
	case monitor.UnknownNoFile:
		return monitor.Sentence{Text: holderNoFile}
	case monitor.UnknownNotFound:
		return monitor.Sentence{Text: holderNotFound}
	case monitor.UnknownOutside:
		return monitor.Sentence{Text: holderOutside}
	}
	return monitor.Sentence{Text: holderUnknown}
}

func orUnknown(name string) string {
	if name == "" {
		return "?"
	}
	return name
}

func endpoint(a netip.AddrPort, device string) monitor.Sentence {
	return onDevice(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String(), device)
}

// onDevice returns address with the interface that its socket is bound to, if any.
func onDevice(address, device string) monitor.Sentence {
	data := map[string]any{"Address": address}
	if device == "" {
		return monitor.Sentence{Text: endpointAt, Data: data}
	}
	data["Device"] = monitor.Clean(device, 16)
	return monitor.Sentence{Text: endpointOnDevice, Data: data}
}
