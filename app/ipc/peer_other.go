//go:build !linux

package ipc

import "net"

// checkPeer accepts every peer: access is restricted by the permissions of the
// runtime directory, on Windows by the access control list of the pipe.
func checkPeer(net.Conn) error { return nil }
