package procevents

import "encoding/binary"

// This file has the messages of the connector: struct nlmsghdr of linux/netlink.h, then
// struct cn_msg of linux/connector.h, then struct proc_input or struct proc_event of
// linux/cn_proc.h. All numbers are in the byte order of the machine.

// Numbers of linux/connector.h and linux/cn_proc.h.
const (
	indexProc       = 1 // CN_IDX_PROC, also the number of the multicast group
	valueProc       = 1 // CN_VAL_PROC
	listen          = 1 // PROC_CN_MCAST_LISTEN
	ignore          = 2 // PROC_CN_MCAST_IGNORE
	eventExec       = 0x00000002
	eventComm       = 0x00000200 // a thread has changed its name
	eventFailedExit = 0x20000000 // PROC_EVENT_NONZERO_EXIT: selects eventExit, except for a status of 0
	eventExit       = 0x80000000
)

// Sizes and offsets of the structures.
const (
	netlinkSize  = 16                       // struct nlmsghdr
	eventStart   = netlinkSize + 20         // struct proc_event follows struct cn_msg
	pidOffset    = eventStart + 16          // event_data begins with the thread and its process
	tgidOffset   = pidOffset + 4            //
	statusOffset = tgidOffset + 4           // exit.exit_code
	shortestSize = statusOffset             // of an event with a process
	requestSize  = netlinkSize + 20 + 4 + 4 // struct proc_input has the operation and the events
)

// message is one event. Events of a single thread have a pid that is not the tgid.
type message struct {
	what       uint32
	pid, tgid  int
	waitStatus uint32 // only eventExit: the status as in wait(2)
	at         uint64 // nanoseconds of CLOCK_MONOTONIC
}

// request returns the message that asks for events, or with ignore gives them up. Before
// Linux 6.6 the kernel drops it, because it knows no filter of events.
func request(operation, events uint32) []byte {
	b := make([]byte, requestSize)
	n := binary.NativeEndian
	n.PutUint32(b, requestSize)
	n.PutUint16(b[4:], 3) // NLMSG_DONE
	n.PutUint32(b[netlinkSize:], indexProc)
	n.PutUint32(b[netlinkSize+4:], valueProc)
	n.PutUint16(b[netlinkSize+16:], requestSize-netlinkSize-20)
	n.PutUint32(b[eventStart:], operation)
	n.PutUint32(b[eventStart+4:], events)
	return b
}

// parse parses a datagram, which has one message. ok is false if it is no event of a
// process.
func parse(b []byte) (m message, ok bool) {
	n := binary.NativeEndian
	if len(b) < shortestSize || n.Uint32(b[netlinkSize:]) != indexProc || n.Uint32(b[netlinkSize+4:]) != valueProc {
		return m, false
	}
	m.what = n.Uint32(b[eventStart:])
	m.at = n.Uint64(b[eventStart+8:])
	m.pid, m.tgid = int(int32(n.Uint32(b[pidOffset:]))), int(int32(n.Uint32(b[tgidOffset:])))
	if m.what == eventExit {
		if len(b) < statusOffset+4 {
			return m, false
		}
		m.waitStatus = n.Uint32(b[statusOffset:])
	}
	return m, m.what != 0 && m.pid > 0 && m.tgid > 0
}
