package child

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

func reusePort(_, _ string, c syscall.RawConn) (err error) {
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); e != nil {
		return e
	}
	return err
}

// Inode returns the inode number of a TCP listener's socket; 0 if it is closed.
func Inode(ln net.Listener) uint64 {
	_, inode := Descriptor(ln)
	return inode
}

// Descriptor returns the descriptor and the inode number of a TCP listener's socket; -1
// and 0 if it is closed.
func Descriptor(ln net.Listener) (fd int, inode uint64) {
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		return -1, 0
	}
	var stat unix.Stat_t
	if e := raw.Control(func(n uintptr) { fd = int(n); err = unix.Fstat(fd, &stat) }); e != nil || err != nil {
		return -1, 0
	}
	return fd, stat.Ino
}
