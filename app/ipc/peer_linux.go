package ipc

import (
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// peer is the process at the other end of a connection, as the kernel saw it when
// the connection was made (SO_PEERCRED, unix(7)).
type peer struct{ pid, uid int }

func peerOf(c net.Conn) (peer, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return peer{}, fmt.Errorf("check peer: %T is not a Unix socket", c)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return peer{}, fmt.Errorf("check peer: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return peer{}, fmt.Errorf("check peer: %w", err)
	}
	if credErr != nil {
		return peer{}, fmt.Errorf("check peer: %w", credErr)
	}
	return peer{int(cred.Pid), int(cred.Uid)}, nil
}

// checkPeer returns an error unless the peer runs as this user. Root is rejected
// too: it has no reason to connect.
func checkPeer(c net.Conn) error {
	p, err := peerOf(c)
	if err != nil {
		return err
	}
	if p.uid != os.Getuid() {
		return fmt.Errorf("check peer: it runs as user %d, the agent as user %d", p.uid, os.Getuid())
	}
	return nil
}

// peerProgram returns the program file of the peer, which still waits for an
// answer. It returns "" if that is not known, if the file was deleted, or if the
// peer is in another mount namespace, such as a container: there the path can
// mean another file, and starting it here would run it outside its container.
func peerProgram(c net.Conn) string {
	p, err := peerOf(c)
	if err != nil || p.pid <= 0 {
		return ""
	}
	ours, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return ""
	}
	if theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", p.pid)); err != nil || theirs != ours {
		return ""
	}
	link := fmt.Sprintf("/proc/%d/exe", p.pid)
	path, err := os.Readlink(link)
	if err != nil || !strings.HasPrefix(path, "/") {
		return ""
	}
	named, err := os.Stat(path)
	if err != nil {
		return "" // deleted
	}
	if running, err := os.Stat(link); err != nil || !os.SameFile(running, named) {
		return "" // replaced
	}
	return path
}
