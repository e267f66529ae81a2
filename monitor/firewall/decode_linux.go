package firewall

import (
	"encoding/binary"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// This file decodes the netlink messages of nftables (linux/netfilter/nf_tables.h).
//
// It does not use github.com/google/nftables: that (0.3.0) leaves expressions that it
// does not know out of a rule, so that a rule with such a condition looks as if it
// applied to every packet; and it does not return the catch-all elements of sets, the
// verdicts of maps and the operation of bitwise expressions.

// attributes are netlink attributes by type.
type attributes map[uint16][]byte

// parse returns the attributes in b. Broken ones and what follows them are left out.
func parse(b []byte) attributes {
	out := attributes{}
	each(b, func(kind uint16, value []byte) { out[kind] = value })
	return out
}

// each calls do for each attribute in b, until the first that is broken.
func each(b []byte, do func(kind uint16, value []byte)) {
	d, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return
	}
	for d.Next() {
		do(d.Type(), d.Bytes())
	}
}

// number returns an attribute of 4 bytes; 0 if it is missing or has another size.
func (a attributes) number(kind uint16) uint32 {
	if b := a[kind]; len(b) == 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (a attributes) text(kind uint16) string {
	s, _, _ := strings.Cut(string(a[kind]), "\x00")
	return s
}

func (a attributes) nested(kind uint16) attributes { return parse(a[kind]) }

func (a attributes) has(kind uint16) bool {
	_, ok := a[kind]
	return ok
}

// value returns the bytes of a nested NFTA_DATA_VALUE.
func (a attributes) value(kind uint16) []byte { return a.nested(kind)[unix.NFTA_DATA_VALUE] }

// register returns the first byte of a register: 1 to 4 have 16 bytes each, from 8 on
// they have 4. It returns -1 if it is missing or the register of the verdict.
func (a attributes) register(kind uint16) int {
	switch n := a.number(kind); {
	case n >= 1 && n <= 4:
		return int(n-1) * 16
	case n >= unix.NFT_REG32_00 && n <= unix.NFT_REG32_15:
		return int(n-unix.NFT_REG32_00) * 4
	}
	return -1
}

// NFTA_ numbers that golang.org/x/sys/unix lacks.
const (
	attrBitwiseOp     = 6      // NFTA_BITWISE_OP
	attrHookDevices   = 4      // NFTA_HOOK_DEVS
	attrElementEnd    = 10     // NFTA_SET_ELEM_KEY_END
	attrElementExprs  = 11     // NFTA_SET_ELEM_EXPRESSIONS
	attrDynsetExprs   = 10     // NFTA_DYNSET_EXPRESSIONS
	attrConnlimitFlag = 2      // NFTA_CONNLIMIT_FLAGS
	setConcat         = 1 << 7 // NFT_SET_CONCAT
	elementCatchAll   = 1 << 1 // NFT_SET_ELEM_CATCHALL
	connlimitInvert   = 1
	inetIngress       = 5 // NF_INET_INGRESS
	objectQuota       = 2 // NFT_OBJECT_, and the next two
	objectLimit       = 4
	objectConnlimit   = 5

	attrSetDescription    = 9 // NFTA_SET_DESC
	attrDescriptionConcat = 2 // NFTA_SET_DESC_CONCAT
)

// decodeChain decodes a NFT_MSG_NEWCHAIN of a family.
func decodeChain(family uint8, b []byte) *chain {
	a := parse(b)
	c := &chain{key: chainKey{tableKey{family, a.text(unix.NFTA_CHAIN_TABLE)}, a.text(unix.NFTA_CHAIN_NAME)}}
	if !a.has(unix.NFTA_CHAIN_HOOK) {
		return c
	}
	h := a.nested(unix.NFTA_CHAIN_HOOK)
	c.hook, c.priority = hookOf(family, h.number(unix.NFTA_HOOK_HOOKNUM)), int32(h.number(unix.NFTA_HOOK_PRIORITY))
	c.nat = a.text(unix.NFTA_CHAIN_TYPE) == "nat"
	c.drop = a.has(unix.NFTA_CHAIN_POLICY) && a.number(unix.NFTA_CHAIN_POLICY) == uint32(verdictDrop)
	if h.has(unix.NFTA_HOOK_DEV) {
		c.devices = append(c.devices, h.text(unix.NFTA_HOOK_DEV))
	}
	each(h[attrHookDevices], func(_ uint16, name []byte) { c.devices = append(c.devices, strings.TrimRight(string(name), "\x00")) })
	return c
}

func hookOf(family uint8, number uint32) hook {
	switch {
	case family == unix.NFPROTO_NETDEV:
		if number == unix.NF_NETDEV_INGRESS {
			return ingress
		}
		return otherHook
	case number == inetIngress && family == unix.NFPROTO_INET:
		return ingress
	case number == unix.NF_INET_PRE_ROUTING:
		return prerouting
	case number == unix.NF_INET_LOCAL_IN:
		return input
	case number == unix.NF_INET_FORWARD:
		return forward
	}
	return otherHook
}

// decodeRule decodes the expressions of a NFT_MSG_NEWRULE.
func decodeRule(t tableKey, list []byte) (r rule) {
	each(list, func(_ uint16, b []byte) {
		a := parse(b)
		r = append(r, decodeStep(t, a.text(unix.NFTA_EXPR_NAME), a.nested(unix.NFTA_EXPR_DATA))...)
	})
	return r
}

// decodeStep decodes one expression. It returns nothing for one that changes nothing.
func decodeStep(t tableKey, name string, a attributes) rule {
	switch name {
	case "counter", "log", "last", "flow_offload", "secmark", "masq":
		return nil
	case "match":
		return decodeMatch(a.text(unix.NFTA_MATCH_NAME), a.number(unix.NFTA_MATCH_REV), a[unix.NFTA_MATCH_INFO], t.family)
	case "target":
		return decodeTarget(a.text(unix.NFTA_TARGET_NAME), a.number(unix.NFTA_TARGET_REV), a[unix.NFTA_TARGET_INFO])
	case "objref":
		return decodeObject(a.number(unix.NFTA_OBJREF_IMM_TYPE))
	case "limit":
		return limited(a.number(unix.NFTA_LIMIT_FLAGS)&unix.NFT_LIMIT_F_INV != 0)
	case "connlimit":
		return limited(a.number(attrConnlimitFlag)&connlimitInvert != 0)
	case "dynset":
		return decodeDynset(a)
	case "nat":
		if a.number(unix.NFTA_NAT_TYPE) != unix.NFT_NAT_DNAT {
			return nil
		}
	}
	return rule{decodeOne(t, name, a)}
}

// decodeOne decodes an expression that is one step.
func decodeOne(t tableKey, name string, a attributes) step {
	switch name {
	case "payload":
		return decodePayload(a)
	case "meta":
		return decodeMeta(a)
	case "ct":
		return decodeTracking(a)
	case "fib":
		return decodeFib(a)
	case "immediate":
		if v := a.nested(unix.NFTA_IMMEDIATE_DATA); v.has(unix.NFTA_DATA_VERDICT) {
			return decodeVerdict(v.nested(unix.NFTA_DATA_VERDICT))
		}
		return immediate{a.register(unix.NFTA_IMMEDIATE_DREG), a.value(unix.NFTA_IMMEDIATE_DATA)}
	case "bitwise":
		return decodeBitwise(a)
	case "byteorder":
		return bitwise{from: a.register(unix.NFTA_BYTEORDER_SREG), to: a.register(unix.NFTA_BYTEORDER_DREG), size: int(a.number(unix.NFTA_BYTEORDER_LEN))}
	case "cmp":
		return compare{a.register(unix.NFTA_CMP_SREG), a.number(unix.NFTA_CMP_OP), a.value(unix.NFTA_CMP_DATA)}
	case "range":
		return between{a.register(unix.NFTA_RANGE_SREG), a.value(unix.NFTA_RANGE_FROM_DATA), a.value(unix.NFTA_RANGE_TO_DATA), a.number(unix.NFTA_RANGE_OP) == unix.NFT_RANGE_NEQ}
	case "lookup":
		return decodeLookup(t, a)
	case "reject":
		return verdict{kind: verdictDrop}
	case "queue":
		return verdict{kind: verdictQueue}
	case "quota":
		return depends{monitor.ConditionQuota}
	case "notrack":
		return untracks{}
	case "nat":
		return divert{address: a.register(unix.NFTA_NAT_REG_ADDR_MIN), port: a.register(unix.NFTA_NAT_REG_PROTO_MIN)}
	case "redir":
		return divert{address: -1, port: a.register(unix.NFTA_REDIR_REG_PROTO_MIN), local: true}
	case "exthdr":
		return load{to: a.register(unix.NFTA_EXTHDR_DREG), size: max(int(a.number(unix.NFTA_EXTHDR_LEN)), 4), name: monitor.ConditionHeader}
	}
	return depends{quoted(name)} // also rt, socket, osf, xfrm, hash, numgen, tproxy, fwd and synproxy
}

func decodeBitwise(a attributes) step {
	s := bitwise{a.register(unix.NFTA_BITWISE_SREG), a.register(unix.NFTA_BITWISE_DREG), int(a.number(unix.NFTA_BITWISE_LEN)), a.value(unix.NFTA_BITWISE_MASK), a.value(unix.NFTA_BITWISE_XOR)}
	if a.number(attrBitwiseOp) != 0 || len(s.mask) != s.size || len(s.xor) != s.size {
		s.mask = nil
	}
	return s
}

func decodeLookup(t tableKey, a attributes) step {
	s := search{set: setKey{t, a.text(unix.NFTA_LOOKUP_SET)}, from: a.register(unix.NFTA_LOOKUP_SREG), invert: a.number(unix.NFTA_LOOKUP_FLAGS)&unix.NFT_LOOKUP_F_INV != 0}
	if a.has(unix.NFTA_LOOKUP_DREG) {
		s.to, s.hasTo = a.register(unix.NFTA_LOOKUP_DREG), true
		s.verdict = s.to < 0
	}
	return s
}

// limited returns the steps for a limit, which one connection is taken not to reach.
// over means that the rule applies to what exceeds it.
func limited(over bool) rule {
	if over {
		return rule{never{}}
	}
	return nil
}

// decodeObject decodes the use of a named object.
func decodeObject(kind uint32) rule {
	switch kind {
	case objectQuota:
		return rule{depends{monitor.ConditionQuota}}
	case objectLimit, objectConnlimit:
		return rule{depends{quoted("limit")}}
	}
	return nil
}

// decodeDynset decodes a rule that adds to a set, with a limit for each element.
func decodeDynset(a attributes) (r rule) {
	one := func(b []byte) {
		e := parse(b)
		r = append(r, decodeStep(tableKey{}, e.text(unix.NFTA_EXPR_NAME), e.nested(unix.NFTA_EXPR_DATA))...)
	}
	if a.has(unix.NFTA_DYNSET_EXPR) {
		one(a[unix.NFTA_DYNSET_EXPR])
	}
	each(a[attrDynsetExprs], func(_ uint16, b []byte) { one(b) })
	return r
}

func decodePayload(a attributes) step {
	if a.has(unix.NFTA_PAYLOAD_SREG) {
		return depends{monitor.ConditionHeader} // changes the packet
	}
	s := load{to: a.register(unix.NFTA_PAYLOAD_DREG), size: int(a.number(unix.NFTA_PAYLOAD_LEN)), offset: int(a.number(unix.NFTA_PAYLOAD_OFFSET)), name: monitor.ConditionHeader}
	switch a.number(unix.NFTA_PAYLOAD_BASE) {
	case unix.NFT_PAYLOAD_NETWORK_HEADER:
		s.field = fieldNetworkHeader
	case unix.NFT_PAYLOAD_TRANSPORT_HEADER:
		s.field = fieldTransportHeader
	case unix.NFT_PAYLOAD_LL_HEADER:
		s.name = monitor.ConditionMAC
	}
	return s
}

func decodeMeta(a attributes) step {
	if a.has(unix.NFTA_META_SREG) {
		if a.number(unix.NFTA_META_KEY) == unix.NFT_META_MARK {
			return setsMark{}
		}
		return nothing{}
	}
	s := load{to: a.register(unix.NFTA_META_DREG), size: 4, name: monitor.ConditionHeader}
	switch a.number(unix.NFTA_META_KEY) {
	case unix.NFT_META_L4PROTO:
		s.field, s.size = fieldL4Protocol, 1
	case unix.NFT_META_NFPROTO:
		s.field, s.size = fieldNetworkProtocol, 1
	case unix.NFT_META_PROTOCOL:
		s.field, s.size = fieldEtherType, 2
	case unix.NFT_META_IIF:
		s.field = fieldInputIndex
	case unix.NFT_META_IIFNAME:
		s.field, s.size = fieldInputName, unix.IFNAMSIZ
	case unix.NFT_META_OIF:
		s.field = fieldOutputIndex
	case unix.NFT_META_OIFNAME:
		s.field, s.size = fieldOutputName, unix.IFNAMSIZ
	case unix.NFT_META_MARK:
		s.field, s.name = fieldMark, monitor.ConditionMark
	case unix.NFT_META_PKTTYPE:
		s.field, s.size = fieldPacketType, 1
	case unix.NFT_META_IIFTYPE:
		s.field, s.size, s.name = fieldInputType, 2, monitor.ConditionInterface
	case unix.NFT_META_IIFGROUP, unix.NFT_META_OIFTYPE, unix.NFT_META_OIFGROUP:
		s.name = monitor.ConditionInterface
	case unix.NFT_META_BRI_IIFNAME, unix.NFT_META_BRI_OIFNAME:
		s.name, s.size = monitor.ConditionInterface, unix.IFNAMSIZ
	case metaTime, metaTimeDay, metaTimeHour:
		s.name, s.size = monitor.ConditionTime, 8
	case unix.NFT_META_CGROUP, unix.NFT_META_SKUID, unix.NFT_META_SKGID:
		s.name = quoted("meta cgroup")
	default:
		s.size = registerBytes
	}
	return s
}

// NFT_META_TIME_NS and the next two.
const (
	metaTime     = 30
	metaTimeDay  = 31
	metaTimeHour = 32
)

func decodeTracking(a attributes) step {
	if a.has(unix.NFTA_CT_SREG) {
		return setsMark{} // or a zone, an event mask or labels
	}
	s := load{to: a.register(unix.NFTA_CT_DREG), size: 4, name: monitor.ConditionTracking}
	switch a.number(unix.NFTA_CT_KEY) {
	case unix.NFT_CT_STATE:
		s.field = fieldTrackingState
	case unix.NFT_CT_STATUS:
		s.field = fieldTrackingStatus
	case unix.NFT_CT_MARK:
		s.field, s.name = fieldMark, monitor.ConditionMark
	default:
		s.size = registerBytes
	}
	return s
}

func decodeFib(a attributes) step {
	s := load{to: a.register(unix.NFTA_FIB_DREG), size: 4, name: quoted("fib")}
	flags := a.number(unix.NFTA_FIB_FLAGS)
	switch result := a.number(unix.NFTA_FIB_RESULT); {
	case flags&unix.NFTA_FIB_F_DADDR != 0 && result == unix.NFT_FIB_RESULT_ADDRTYPE:
		s.field = fieldDestinationType
	case flags&unix.NFTA_FIB_F_SADDR != 0 && result == unix.NFT_FIB_RESULT_OIF && flags&unix.NFTA_FIB_F_PRESENT != 0:
		s.field, s.size = fieldRouteExists, 1
	case flags&unix.NFTA_FIB_F_SADDR != 0 && result == unix.NFT_FIB_RESULT_OIF:
		s.field = fieldRoute
	case result == unix.NFT_FIB_RESULT_OIFNAME:
		s.size = unix.IFNAMSIZ
	}
	return s
}

func decodeVerdict(a attributes) step {
	return verdict{verdictKind(int32(a.number(unix.NFTA_VERDICT_CODE))), a.text(unix.NFTA_VERDICT_CHAIN)}
}

// decodeSet decodes a NFT_MSG_NEWSET, without its elements.
func decodeSet(b []byte) (name string, s *set) {
	a := parse(b)
	flags := a.number(unix.NFTA_SET_FLAGS)
	s = &set{interval: flags&unix.NFT_SET_INTERVAL != 0, concat: flags&setConcat != 0}
	each(a.nested(attrSetDescription)[attrDescriptionConcat], func(_ uint16, b []byte) {
		s.lengths = append(s.lengths, int(parse(b).number(1))) // NFTA_SET_FIELD_LEN
	})
	return a.text(unix.NFTA_SET_NAME), s
}

// decodeElements decodes a NFT_MSG_NEWSETELEM. The result still has to be paired: see
// pairElements.
func decodeElements(b []byte) (out []rawElement) {
	each(parse(b)[unix.NFTA_SET_ELEM_LIST_ELEMENTS], func(_ uint16, b []byte) {
		a := parse(b)
		flags := a.number(unix.NFTA_SET_ELEM_FLAGS)
		e := rawElement{element{key: a.value(unix.NFTA_SET_ELEM_KEY), end: a.value(attrElementEnd)}, flags&unix.NFT_SET_ELEM_INTERVAL_END != 0}
		e.all = flags&elementCatchAll != 0
		if data := a.nested(unix.NFTA_SET_ELEM_DATA); data.has(unix.NFTA_DATA_VERDICT) {
			v, _ := decodeVerdict(data.nested(unix.NFTA_DATA_VERDICT)).(verdict)
			e.verdict = &v
		} else {
			e.value = data[unix.NFTA_DATA_VALUE]
		}
		exprs := func(b []byte) {
			x := parse(b)
			if len(decodeStep(tableKey{}, x.text(unix.NFTA_EXPR_NAME), x.nested(unix.NFTA_EXPR_DATA))) > 0 {
				e.depends = quoted(x.text(unix.NFTA_EXPR_NAME))
			}
		}
		if a.has(unix.NFTA_SET_ELEM_EXPR) {
			exprs(a[unix.NFTA_SET_ELEM_EXPR])
		}
		each(a[attrElementExprs], func(_ uint16, b []byte) { exprs(b) })
		out = append(out, e)
	})
	return out
}

// quoted returns the name of a condition for people.
func quoted(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r == '{' || r == '}' {
			return -1
		}
		return r
	}, name)
	return "“" + monitor.Clean(clean, 40) + "”"
}
