//go:build !linux

package ipc

import "net"

// checkPeer relies on the private folder, and on Windows on the pipe's access
// list: no peer is told here.
func checkPeer(net.Conn) error { return nil }
