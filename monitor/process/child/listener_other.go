//go:build !linux

package child

import (
	"net"
	"syscall"
)

func reusePort(string, string, syscall.RawConn) error { return nil }

// Inode returns 0: other systems than Linux report no inode of a socket.
func Inode(net.Listener) uint64 { return 0 }
