package firewall

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// load copies what l asks for to the registers.
func (w *walk) load(r *registers, l load) {
	if l.size <= 0 || l.size > registerBytes {
		l.size = registerBytes
	}
	switch l.field {
	case fieldNetworkHeader:
		w.loadHeader(r, l, w.networkHeader())
	case fieldTransportHeader:
		w.loadHeader(r, l, w.transportHeader())
	default:
		if data := w.fact(l.field); data != nil {
			r.put(l.to, data)
			return
		}
		r.forget(l.to, (l.size+3)/4*4, l.name)
	}
}

// fact returns what is known about a field; nil if it is unknown.
func (w *walk) fact(f field) []byte {
	c := w.connection
	out := outgoing{}
	if c.out != nil {
		out = *c.out
	}
	switch f {
	case fieldL4Protocol:
		return []byte{c.l4()}
	case fieldNetworkProtocol:
		if c.to.Addr().Is4() {
			return []byte{unix.NFPROTO_IPV4}
		}
		return []byte{unix.NFPROTO_IPV6}
	case fieldEtherType:
		if c.to.Addr().Is4() {
			return binary.BigEndian.AppendUint16(nil, unix.ETH_P_IP)
		}
		return binary.BigEndian.AppendUint16(nil, unix.ETH_P_IPV6)
	case fieldInputIndex, fieldRoute: // a client that gets an answer is routed back
		return host32(uint32(c.in.index))
	case fieldRouteExists:
		return host32(1)
	case fieldInputName:
		return interfaceName(c.in.name)
	case fieldInputType:
		if c.in.kind != 0 {
			return binary.NativeEndian.AppendUint16(nil, c.in.kind)
		}
	case fieldOutputIndex:
		return host32(uint32(out.index))
	case fieldOutputName:
		return interfaceName(out.name)
	case fieldDestinationType:
		if c.out != nil {
			return host32(unix.RTN_UNICAST)
		}
		return host32(unix.RTN_LOCAL)
	case fieldPacketType:
		return []byte{unix.PACKET_HOST}
	case fieldMark:
		if !w.rules.setsMark {
			return host32(0)
		}
	case fieldTrackingState:
		const isNew = 1 << 3 // NF_CT_STATE_BIT(IP_CT_NEW)
		if w.tracked {
			return host32(isNew)
		}
	case fieldTrackingStatus:
		const destinationChanged = 1 << 5 // IPS_DST_NAT
		switch {
		case w.tracked && c.diverted:
			return host32(destinationChanged | 1<<8) // and IPS_DST_NAT_DONE
		case w.tracked:
			return host32(1 << 8)
		}
	}
	return nil
}

// interfaceName returns a name as a register contains it.
func interfaceName(name string) []byte {
	out := make([]byte, unix.IFNAMSIZ)
	copy(out, name)
	return out
}

func (c connection) l4() byte {
	if c.protocol == monitor.UDP {
		return unix.IPPROTO_UDP
	}
	return unix.IPPROTO_TCP
}

// loadHeader copies a part of a header to a register.
func (w *walk) loadHeader(r *registers, l load, header []content) {
	for i := range (l.size + 3) / 4 * 4 {
		c := content{}
		switch at := l.offset + i; {
		case i >= l.size: // filled up with zeros
		case at >= 0 && at < len(header):
			c = header[at]
		default:
			c = content{kind: isUnknown, why: monitor.ConditionHeader}
		}
		if c.kind == isUnknown && l.name != "" && c.why == "" {
			c.why = l.name
		}
		if at := l.to + i; l.to >= 0 && at < registerBytes {
			r[at] = c
		}
	}
}

// networkHeader returns what is known of the IP header (RFC 791, RFC 8200).
func (w *walk) networkHeader() []content {
	to := w.connection.to.Addr()
	if to.Is4() {
		h := unknownBytes(20, monitor.ConditionHeader)
		h[0] = content{value: 0x45}
		h[6], h[7] = content{value: 0x40}, content{} // not a fragment
		h[9] = content{value: w.connection.l4()}
		putSource(h[12:16])
		putAddress(h[16:20], to)
		return h
	}
	h := unknownBytes(40, monitor.ConditionHeader)
	h[6] = content{value: w.connection.l4()}
	putSource(h[8:24])
	putAddress(h[24:40], to)
	return h
}

// transportHeader returns what is known of the first packet's TCP or UDP header
// (RFC 9293, RFC 768).
func (w *walk) transportHeader() []content {
	h := unknownBytes(20, monitor.ConditionHeader)
	h[0], h[1] = content{kind: isUnknown, why: monitor.ConditionSourcePort}, content{kind: isUnknown, why: monitor.ConditionSourcePort}
	port := w.connection.to.Port()
	h[2], h[3] = content{value: byte(port >> 8)}, content{value: byte(port)}
	if w.connection.protocol == monitor.UDP {
		return h[:8]
	}
	const syn = 0x02
	h[13] = content{value: syn}
	return h
}

func unknownBytes(n int, why string) []content {
	out := make([]content, n)
	for i := range out {
		out[i] = content{kind: isUnknown, why: why}
	}
	return out
}

// putSource fills h with the sender's address.
func putSource(h []content) {
	for i := range h {
		h[i] = content{kind: fromSource, index: i, mask: 0xff, size: len(h)}
	}
}

func putAddress(h []content, a netip.Addr) {
	for i, b := range a.AsSlice() {
		h[i] = content{value: b}
	}
}
