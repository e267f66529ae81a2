package socket

import (
	"slices"

	"porthole/monitor"
)

// lastPoll keeps the sockets of the last poll of a table that must compare them
// to find out whether anything changed. The zero value is ready to use.
type lastPoll struct {
	valid, udp     bool
	sockets, spare []monitor.Socket
}

// buffer returns an empty slice for the sockets of the next poll.
func (l *lastPoll) buffer() []monitor.Socket { return l.spare[:0] }

// keep keeps the sockets of a poll, which were appended to buffer, and returns
// the result of monitor.Table.Poll.
func (l *lastPoll) keep(sockets []monitor.Socket, opts monitor.PollOptions) ([]monitor.Socket, bool, error) {
	changed := !l.valid || l.udp != opts.UDP || !slices.Equal(l.sockets, sockets)
	l.sockets, l.spare = sockets, l.sockets
	l.valid, l.udp = true, opts.UDP
	return l.sockets, changed, nil
}
