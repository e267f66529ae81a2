package ipc

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// checkPeer refuses who is not this user (SO_PEERCRED, unix(7)). Root may not
// connect either: it has no reason to.
func checkPeer(c net.Conn) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("a %T has no peer to check", c)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return fmt.Errorf("check who connects: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return fmt.Errorf("check who connects: %w", err)
	}
	if credErr != nil {
		return fmt.Errorf("check who connects: %w", credErr)
	}
	if int(cred.Uid) != os.Getuid() {
		return fmt.Errorf("user %d is not who started Porthole", cred.Uid)
	}
	return nil
}
