//go:build !linux

package link

import "net"

// checkPeer relies on the private folder where the system tells no peer here.
func checkPeer(net.Conn) error { return nil }
