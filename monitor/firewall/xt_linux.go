package firewall

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// This file translates the matches and targets of iptables (linux/netfilter/xt_*.h),
// which iptables-nft stores as bytes, to steps. Numbers are in the byte order of the
// machine unless it is noted.

// decodeMatch returns the steps of a match.
func decodeMatch(name string, revision uint32, info []byte, family uint8) rule {
	known := rule(nil)
	ok := true
	switch {
	case name == "comment":
		return nil
	case name == "limit", name == "hashlimit", name == "connlimit" && revision == 1:
		known, ok = decodeLimit(name, info)
	case name == "tcp" && revision == 0 && len(info) >= 12:
		known, ok = decodeTCP(info)
	case name == "udp" && revision == 0 && len(info) >= 9:
		known, ok = decodeUDP(info)
	case name == "multiport" && revision == 1 && len(info) >= 48:
		known, ok = decodeMultiport(info)
	case (name == "conntrack" && revision >= 2 && revision <= 3) && len(info) >= 154:
		known, ok = decodeConntrack(info)
	case name == "state" && len(info) >= 4:
		known, ok = trackingState(binary.NativeEndian.Uint32(info), false), true
	case name == "addrtype" && revision == 1 && len(info) >= 8:
		known, ok = decodeAddressType(info)
	case name == "iprange" && revision == 1 && len(info) >= 65:
		known, ok = decodeRange(info, family)
	case name == "mark" && revision == 1 && len(info) >= 9:
		known, ok = decodeMark(info), true
	case name == "pkttype" && len(info) >= 8:
		known, ok = decodePacketType(info), true
	case name == "recent" && len(info) >= 10:
		known, ok = decodeRecent(info)
	case name == "rpfilter" && len(info) >= 1:
		const invert = 1 << 3 // XT_RPFILTER_INVERT: the rule applies to what fails the check
		return limited(info[0]&invert != 0)
	default:
		ok = false
	}
	if !ok {
		return rule{depends{conditionOf(name)}}
	}
	return known
}

// conditionOf names the condition of a match.
func conditionOf(name string) string {
	switch name {
	case "mac":
		return monitor.ConditionMAC
	case "mark", "connmark":
		return monitor.ConditionMark
	case "time":
		return monitor.ConditionTime
	case "quota", "quota2":
		return monitor.ConditionQuota
	case "conntrack", "state":
		return monitor.ConditionTracking
	case "tcp", "udp", "multiport", "tos", "dscp", "ttl", "hl", "length", "frag", "ipv6header", "rt", "hbh", "dst", "ecn", "tcpmss":
		return monitor.ConditionHeader
	case "physdev", "devgroup":
		return monitor.ConditionInterface
	}
	return quoted(name)
}

// decodeLimit decodes limits, which one connection is taken not to reach.
func decodeLimit(name string, info []byte) (rule, bool) {
	switch name {
	case "limit":
		return nil, true
	case "connlimit": // struct xt_connlimit_info: mask (16 bytes), limit, flags
		if len(info) < 24 {
			return nil, false
		}
		const invert = 1 // XT_CONNLIMIT_INVERT: the rule applies up to the limit
		return limited(binary.NativeEndian.Uint32(info[20:])&invert == 0), true
	}
	return nil, false
}

// scratch is the register that the steps of a match use.
const scratch = 0

// ports returns the steps for a range of ports in the transport header at offset.
func ports(offset int, low, top uint16, invert bool) rule {
	if low == 0 && top == 0xffff {
		return nil
	}
	return rule{load{to: scratch, size: 2, field: fieldTransportHeader, offset: offset, name: monitor.ConditionSourcePort},
		between{scratch, binary.BigEndian.AppendUint16(nil, low), binary.BigEndian.AppendUint16(nil, top), invert}}
}

func u16(b []byte, at int) uint16 { return binary.NativeEndian.Uint16(b[at:]) }

// decodeTCP decodes struct xt_tcp: the ranges of the source and destination ports, the
// option, the mask and the value of the flags, and what is inverted.
func decodeTCP(b []byte) (rule, bool) {
	const invertSource, invertDestination, invertFlags, invertOption = 1, 2, 4, 8
	out := slices.Concat(ports(0, u16(b, 0), u16(b, 2), b[11]&invertSource != 0), ports(2, u16(b, 4), u16(b, 6), b[11]&invertDestination != 0))
	if b[8] != 0 || b[11]&invertOption != 0 {
		return nil, false
	}
	if mask, flags := b[9], b[10]; mask != 0 || b[11]&invertFlags != 0 {
		op := uint32(unix.NFT_CMP_EQ)
		if b[11]&invertFlags != 0 {
			op = unix.NFT_CMP_NEQ
		}
		out = append(out, load{to: scratch, size: 1, field: fieldTransportHeader, offset: 13, name: monitor.ConditionHeader},
			bitwise{scratch, scratch, 1, []byte{mask}, []byte{0}}, compare{scratch, op, []byte{flags}})
	}
	return out, true
}

// decodeUDP decodes struct xt_udp: the ranges of the ports and what is inverted.
func decodeUDP(b []byte) (rule, bool) {
	return slices.Concat(ports(0, u16(b, 0), u16(b, 2), b[8]&1 != 0), ports(2, u16(b, 4), u16(b, 6), b[8]&2 != 0)), true
}

// decodeMultiport decodes struct xt_multiport_v1: flags, the count, 15 ports, for each
// whether the next one is the end of its range, and whether it is inverted.
func decodeMultiport(b []byte) (rule, bool) {
	const source, destination = 0, 1 // XT_MULTIPORT_
	if b[0] > destination || b[1] > 15 {
		return nil, false // either port
	}
	s := &set{interval: true}
	for i := 0; i < int(b[1]); i++ {
		key := binary.BigEndian.AppendUint16(nil, u16(b, 2+2*i))
		end := key
		if b[32+i] != 0 && i+1 < int(b[1]) {
			i++
			end = binary.BigEndian.AppendUint16(nil, u16(b, 2+2*i))
		}
		s.elements = append(s.elements, element{key: key, end: end})
	}
	at := 0
	if b[0] == destination {
		at = 2
	}
	return rule{load{to: scratch, size: 2, field: fieldTransportHeader, offset: at, name: monitor.ConditionSourcePort},
		search{inline: s, from: scratch, invert: b[47] != 0}}, true
}

// decodeConntrack decodes struct xt_conntrack_mtinfo2 and 3, of which only the state is
// evaluated: at 146 what is compared, at 148 what of it is inverted, at 150 the states.
func decodeConntrack(b []byte) (rule, bool) {
	const state, alias = 1 << 0, 1 << 13 // XT_CONNTRACK_STATE, XT_CONNTRACK_STATE_ALIAS
	flags, inverted := u16(b, 146), u16(b, 148)
	if flags&^alias != state {
		return nil, false
	}
	return trackingState(uint32(u16(b, 150)), inverted&state != 0), true
}

// trackingState returns the steps for a mask of states. Its bits are those of nftables,
// and two more for connections whose addresses were changed.
func trackingState(mask uint32, invert bool) rule {
	const sourceChanged, destinationChanged, untracked = 1 << 6, 1 << 7, 1 << 8 // XT_CONNTRACK_STATE_SNAT, _DNAT, _UNTRACKED
	if mask&(sourceChanged|destinationChanged) != 0 {
		return rule{depends{monitor.ConditionTracking}}
	}
	states := mask & 0xf
	if mask&untracked != 0 {
		states |= 1 << 6 // NF_CT_STATE_UNTRACKED_BIT
	}
	return masked(load{to: scratch, size: 4, field: fieldTrackingState, name: monitor.ConditionTracking}, states, invert)
}

// masked returns the steps for a number of which one of the bits in mask is set.
func masked(l load, mask uint32, invert bool) rule {
	op := uint32(unix.NFT_CMP_NEQ)
	if invert {
		op = unix.NFT_CMP_EQ
	}
	return rule{l, bitwise{scratch, scratch, 4, binary.NativeEndian.AppendUint32(nil, mask), make([]byte, 4)}, compare{scratch, op, make([]byte, 4)}}
}

// decodeAddressType decodes struct xt_addrtype_info_v1: masks of the types (RTN_ of
// linux/rtnetlink.h) of the source and the destination, and flags.
func decodeAddressType(b []byte) (rule, bool) {
	const invertDestination, limits = 2, 4 | 8
	source, destination, flags := u16(b, 0), u16(b, 2), binary.NativeEndian.Uint32(b[4:])
	if source != 0 || flags&limits != 0 {
		return nil, false
	}
	s := &set{}
	for kind := range 16 {
		if destination&(1<<kind) != 0 {
			s.elements = append(s.elements, element{key: binary.NativeEndian.AppendUint32(nil, uint32(kind))})
		}
	}
	return rule{load{to: scratch, size: 4, field: fieldDestinationType}, search{inline: s, from: scratch, invert: flags&invertDestination != 0}}, true
}

// decodeRange decodes struct xt_iprange_mtinfo: the first and the last source and
// destination address, 16 bytes each, and flags.
func decodeRange(b []byte, family uint8) (rule, bool) {
	const source, destination, invertSource, invertDestination = 1, 2, 16, 32 // IPRANGE_
	size, at := 4, 12
	if family == unix.NFPROTO_IPV6 {
		size, at = 16, 8
	}
	var out rule
	if b[64]&source != 0 {
		out = append(out, load{to: scratch, size: size, field: fieldNetworkHeader, offset: at}, between{scratch, b[:size], b[16:][:size], b[64]&invertSource != 0})
	}
	if b[64]&destination != 0 {
		out = append(out, load{to: scratch, size: size, field: fieldNetworkHeader, offset: at + size}, between{scratch, b[32:][:size], b[48:][:size], b[64]&invertDestination != 0})
	}
	return out, true
}

// decodeMark decodes struct xt_mark_mtinfo1: mark, mask, and whether it is inverted.
func decodeMark(b []byte) rule {
	op := uint32(unix.NFT_CMP_EQ)
	if b[8] != 0 {
		op = unix.NFT_CMP_NEQ
	}
	return rule{load{to: scratch, size: 4, field: fieldMark, name: monitor.ConditionMark}, bitwise{scratch, scratch, 4, b[4:8], make([]byte, 4)}, compare{scratch, op, b[:4]}}
}

// decodePacketType decodes struct xt_pkttype_info: the type, and whether it is inverted.
func decodePacketType(b []byte) rule {
	op := uint32(unix.NFT_CMP_EQ)
	if binary.NativeEndian.Uint32(b[4:]) != 0 {
		op = unix.NFT_CMP_NEQ
	}
	return rule{load{to: scratch, size: 1, field: fieldPacketType}, compare{scratch, op, []byte{byte(binary.NativeEndian.Uint32(b))}}}
}

// decodeRecent decodes the beginning of struct xt_recent_mtinfo: seconds, the number of
// hits, what to do, and whether it is inverted. "ufw limit" uses it as a rate limit, which
// one connection is taken not to reach.
func decodeRecent(b []byte) (rule, bool) {
	const set = 2 // XT_RECENT_SET
	hits, invert := binary.NativeEndian.Uint32(b[4:]), b[9] != 0
	switch {
	case b[8]&set != 0:
		return limited(invert), true
	case hits > 1:
		return limited(!invert), true
	}
	return nil, false
}

// harmless are the targets that do not decide about a packet.
var harmless = []string{"LOG", "NFLOG", "ULOG", "TCPMSS", "TCPOPTSTRIP", "TOS", "DSCP", "ECN", "TTL", "HL", "CHECKSUM", "AUDIT", "SET", "RATEEST", "TRACE", "CLASSIFY", "SECMARK", "CONNSECMARK", "LED", "IDLETIMER"}

// decodeTarget returns the steps of a target.
func decodeTarget(name string, revision uint32, info []byte) rule {
	switch {
	case slices.Contains(harmless, name):
		return nil
	case name == "MARK", name == "CONNMARK":
		return rule{setsMark{}}
	case name == "CT", name == "NOTRACK":
		return rule{untracks{}}
	case name == "REJECT":
		return rule{verdict{kind: verdictDrop}}
	case name == "NFQUEUE":
		return rule{verdict{kind: verdictQueue}}
	case name == "DNAT", name == "REDIRECT":
		return rule{decodeDestination(name == "REDIRECT", revision, info)}
	}
	return rule{depends{quoted(name)}}
}

// decodeDestination decodes the ranges of addresses and ports of DNAT and REDIRECT:
// struct nf_nat_ipv4_multi_range_compat in revision 0, struct nf_nat_range and
// nf_nat_range2 later (linux/netfilter/nf_nat.h). Addresses and ports are in network
// byte order.
func decodeDestination(local bool, revision uint32, b []byte) step {
	const hasAddress, hasPort = 1, 2 // NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED
	s := divert{address: -1, port: -1, local: local}
	flags, address, port := 0, 8, 16
	if revision == 0 {
		if len(b) < 20 {
			return depends{quoted("DNAT")}
		}
		flags = int(binary.NativeEndian.Uint32(b[4:]))
	} else {
		if len(b) < 40 {
			return depends{quoted("DNAT")}
		}
		flags, address, port = int(binary.NativeEndian.Uint32(b)), 4, 36
	}
	if flags&hasAddress != 0 {
		s.fixedAddress, _ = netip.AddrFromSlice(b[address:][:4])
		if revision > 0 && slices.ContainsFunc(b[8:20], func(x byte) bool { return x != 0 }) { // an IPv6 address
			s.fixedAddress, _ = netip.AddrFromSlice(b[4:20])
		}
	}
	if flags&hasPort != 0 {
		s.fixedPort = binary.BigEndian.Uint16(b[port:])
	}
	return s
}
