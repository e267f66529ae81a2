// Package sockevents counts connections with the kernel's messages about destroyed TCP
// sockets, which carry the final byte counters of each connection (sock_diag(7),
// SKNLGRP_INET_TCP_DESTROY). So a connection counts even if it ended between two polls.
// The messages need no privileges. Only Linux has them.
package sockevents

import (
	"errors"
	"net/netip"

	"porthole/monitor"
)

// Availability is the result of the probe of the kernel's messages.
type Availability string

// The results.
const (
	Available Availability = "available"
	Refused   Availability = "refused" // the system denies the subscription
	Silent    Availability = "silent"  // the subscription is accepted, but no message comes
	// Unsupported means that this system has no such messages, or an old kernel that
	// sends them without counters.
	Unsupported Availability = "unsupported"
)

var (
	errSilent     = errors.New("the kernel sends no messages about destroyed sockets, as in some containers")
	errNoCounters = errors.New("the kernel's messages about destroyed sockets have no counters")
)

// destroyed is one socket of a message.
type destroyed struct {
	id             monitor.SocketID
	local, remote  netip.AddrPort
	received, sent uint64 // payload bytes
	// refused means that it is a client's socket, whose connection attempt was answered
	// by a reset.
	refused bool
}

// wanted selects messages: those about connections to local ports, and those about
// refused attempts of local clients to connect to ports.
type wanted struct{ local, refused monitor.Ports }

// stream is a source of messages. Its methods are safe for concurrent use, except for
// read.
type stream interface {
	// want replaces the selection. Messages of the previous one may still come.
	want(wanted) error
	// read waits for messages and calls each for every one that has arrived. lost means
	// that some were dropped. After close the error is os.ErrClosed.
	read(each func(destroyed)) (lost bool, err error)
	// room returns how many messages can wait for read.
	room() int
	close() error
}
