package socket

import "encoding/binary"

// UDPRequest is a dump request (inet_diag_req_v2 of linux/inet_diag.h) for UDP
// sockets of a family, AF_INET or AF_INET6, in states: bit 7 (CLOSE) for those
// that are bound and not connected, bit 1 (ESTABLISHED) for connected ones.
func UDPRequest(family byte, states uint32) []byte {
	b := udpRequest(family)
	binary.NativeEndian.PutUint32(b[headerSize+4:], states)
	return b
}
