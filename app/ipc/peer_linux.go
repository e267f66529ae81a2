package ipc

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// checkPeer returns an error unless the peer runs as this user (SO_PEERCRED,
// unix(7)). Root is rejected too: it has no reason to connect.
func checkPeer(c net.Conn) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("check peer: %T is not a Unix socket", c)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return fmt.Errorf("check peer: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return fmt.Errorf("check peer: %w", err)
	}
	if credErr != nil {
		return fmt.Errorf("check peer: %w", credErr)
	}
	if int(cred.Uid) != os.Getuid() {
		return fmt.Errorf("check peer: it runs as user %d, the agent as user %d", cred.Uid, os.Getuid())
	}
	return nil
}
