package firewall

import (
	"net/netip"

	"porthole/monitor"
)

// The hooks of netfilter, in the order in which a packet from the network passes them
// (linux/netfilter.h; ingress has another number for each family).
type hook int

const (
	noHook hook = iota // the chain is only jumped to
	ingress
	prerouting
	input
	forward
	otherHook
)

// ruleset is what nftables filters in this network namespace.
type ruleset struct {
	chains map[chainKey]*chain
	sets   map[setKey]*set

	setsMark bool // a rule sets the mark of packets or connections
	untracks bool // a rule switches connection tracking off
}

// tableKey identifies a table. The family is one of NFPROTO_ (linux/netfilter.h).
type tableKey struct {
	family uint8
	name   string
}

type chainKey struct {
	table tableKey
	name  string
}

type setKey struct {
	table tableKey
	name  string
}

// chain is a list of rules. The fields from hook to devices matter only for base chains.
type chain struct {
	key      chainKey
	hook     hook
	priority int32
	nat      bool // of the type nat
	drop     bool // its policy
	devices  []string
	rules    []rule
}

// rule is a list of steps. Each of them may end the rule.
type rule []step

// step is one expression of a rule, one of the types below.
type step any

// The registers of a rule are addressed by their first byte. The verdict has none.
type (
	// load copies a field of the packet or something known about it to a register.
	load struct {
		to, size int
		field    field
		offset   int // of the field
		name     string
	}
	// immediate copies bytes to a register.
	immediate struct {
		to   int
		data []byte
	}
	// bitwise computes (from & mask) ^ xor. mask is nil for operations that are not
	// evaluated.
	bitwise struct {
		from, to, size int
		mask, xor      []byte
	}
	// compare ends the rule unless the register compares to data.
	compare struct {
		from int
		op   uint32 // NFT_CMP_
		data []byte
	}
	// between ends the rule unless the register is in a range, or outside.
	between struct {
		from     int
		low, top []byte
		outside  bool
	}
	// search ends the rule unless the register is in a set. In a map, the value goes to a
	// register or is the verdict.
	search struct {
		set     setKey
		inline  *set // instead of set
		from    int
		invert  bool
		to      int // if hasTo
		hasTo   bool
		verdict bool
	}
	// verdict ends the rule.
	verdict struct {
		kind  verdictKind
		chain string
	}
	// never ends the rule, because the step is a limit that a single connection does not
	// reach.
	never struct{}
	// divert sends the connection elsewhere. The registers contain the address and the
	// port, unless they are fixed; -1 for the same as before.
	divert struct {
		address, port int
		fixedAddress  netip.Addr
		fixedPort     uint16
		local         bool // to this machine
	}
	// nothing changes nothing that is evaluated.
	nothing struct{}
	// setsMark and untracks change what later rules may depend on.
	setsMark struct{}
	untracks struct{}
	// depends is a condition that can't be evaluated.
	depends struct{ condition string }
)

// field is the kind of what load copies.
type field int

const (
	fieldUnknown field = iota // its name says which
	fieldNetworkHeader
	fieldTransportHeader
	fieldL4Protocol
	fieldNetworkProtocol
	fieldEtherType
	fieldInputIndex
	fieldInputName
	fieldInputType
	fieldOutputIndex
	fieldOutputName
	fieldMark
	fieldTrackingState
	fieldTrackingStatus
	fieldDestinationType
	fieldPacketType
	fieldRoute       // the interface of the route back to the sender
	fieldRouteExists // whether there is one
)

// verdictKind is what happens to a packet (linux/netfilter.h, NFT_ of
// linux/netfilter/nf_tables.h).
type verdictKind int32

const (
	verdictDrop     verdictKind = 0
	verdictAccept   verdictKind = 1
	verdictQueue    verdictKind = 3
	verdictContinue verdictKind = -1
	verdictBreak    verdictKind = -2
	verdictJump     verdictKind = -3
	verdictGoto     verdictKind = -4
	verdictReturn   verdictKind = -5
)

// set is a set or a map.
type set struct {
	lengths  []int // bytes of the fields of a concatenation, each padded to a multiple of 4; nil for one field
	interval bool
	concat   bool
	elements []element
}

// element is a key, or all keys from key to end (inclusive), with the value of a map.
type element struct {
	key, end []byte // end is nil for a single key
	all      bool   // every key that no other element has
	value    []byte
	verdict  *verdict
	depends  string // a condition besides the key
}

// connection is what is known about a connection from another machine.
type connection struct {
	protocol monitor.Protocol
	in       network
	to       netip.AddrPort
	out      *outgoing // if it is forwarded
	diverted bool      // its destination was changed
}
