package capture

import (
	"golang.org/x/net/bpf"
)

// Numbers of linux/if_ether.h, linux/if_packet.h and linux/in.h.
const (
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	packetOutgoing = 4
	protocolTCP    = 6
)

// maxPacket is how much of a packet is captured: more than any has.
const maxPacket = 262144

// filter returns a program for the kernel that accepts the TCP segments from or to port,
// in packets without a link header. Outgoing packets of the interface with index loopback
// are rejected: they arrive again. 0 is no such interface. Fragments, and IPv6 packets
// with extension headers, are rejected; loopback has none.
func filter(port uint16, loopback int) ([]bpf.RawInstruction, error) {
	p := uint32(port)
	return bpf.Assemble([]bpf.Instruction{
		/* 0*/ bpf.LoadExtension{Num: bpf.ExtType},
		/* 1*/ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: packetOutgoing, SkipTrue: 2},
		/* 2*/ bpf.LoadExtension{Num: bpf.ExtInterfaceIndex},
		/* 3*/ bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(loopback), SkipTrue: 20}, // reject
		/* 4*/ bpf.LoadExtension{Num: bpf.ExtProto},
		/* 5*/ bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv6, SkipTrue: 10}, // to 16
		/* 6*/ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv4, SkipTrue: 17},
		/* 7*/ bpf.LoadAbsolute{Off: 9, Size: 1},
		/* 8*/ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 15},
		/* 9*/ bpf.LoadAbsolute{Off: 6, Size: 2},
		/*10*/ bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 13}, // the offset of a fragment
		/*11*/ bpf.LoadMemShift{Off: 0}, // the length of the header
		/*12*/ bpf.LoadIndirect{Off: 0, Size: 2},
		/*13*/ bpf.JumpIf{Cond: bpf.JumpEqual, Val: p, SkipTrue: 9},
		/*14*/ bpf.LoadIndirect{Off: 2, Size: 2},
		/*15*/ bpf.JumpIf{Cond: bpf.JumpEqual, Val: p, SkipTrue: 7, SkipFalse: 8},
		/*16*/ bpf.LoadAbsolute{Off: 6, Size: 1},
		/*17*/ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 6},
		/*18*/ bpf.LoadAbsolute{Off: 40, Size: 2},
		/*19*/ bpf.JumpIf{Cond: bpf.JumpEqual, Val: p, SkipTrue: 3},
		/*20*/ bpf.LoadAbsolute{Off: 42, Size: 2},
		/*21*/ bpf.JumpIf{Cond: bpf.JumpEqual, Val: p, SkipTrue: 1},
		/*22*/ bpf.Jump{Skip: 1},
		/*23*/ bpf.RetConstant{Val: maxPacket},
		/*24*/ bpf.RetConstant{Val: 0},
	})
}
