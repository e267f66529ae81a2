package enrich

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"porthole/monitor/process"
	"porthole/monitor/socket"
)

// sshServer returns the address of the server to which an ssh process is connected; "" if
// that is not known. ssh closes inherited descriptors at its start (closefrom(3) in
// ssh.c), so the lowest one above the standard ones is its connection; with a
// ProxyCommand or ProxyJump that is a pipe or a Unix socket, and the server is not known.
func sshServer(p identity) string {
	folder := fmt.Sprintf("/proc/%d/fd", p.pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	lowest := -1
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > unix.Stderr && (lowest < 0 || fd < lowest) {
			lowest = fd
		}
	}
	var stat unix.Stat_t
	if unix.Stat(fmt.Sprintf("%s/%d", folder, lowest), &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFSOCK || !process.IsAlive(p.pid, p.start) {
		return ""
	}
	remote := remoteOf(stat.Ino)
	if !remote.IsValid() {
		return ""
	}
	return remote.Unmap().String()
}

// remoteOf returns the remote address of an established TCP connection, given by the
// inode of its socket. The kernel has no request for an inode, so this reads all
// connections, once for each process.
func remoteOf(inode uint64) (remote netip.Addr) {
	c, err := socket.DialDiag()
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = c.Close() }()                                                            // nothing was written
	_ = c.Dump(socket.TCPRequest(socket.StateEstablished, 0, nil), func(m socket.DiagMessage) { // what it found counts
		if m.Socket().Inode == inode {
			remote = m.Remote().Addr()
		}
	})
	return remote
}
