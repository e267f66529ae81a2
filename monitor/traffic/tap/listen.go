package tap

import (
	"errors"
	"net/netip"
	"syscall"

	"porthole/monitor/traffic/source"
)

// ListenOrFree is Listen, but if the port is taken, the tap uses a free one of the same
// address and taken is true.
func ListenOrFree(address netip.AddrPort, target Target, r source.Recorder, problem func(error)) (t *Tap, taken bool, err error) {
	t, err = Listen(address, target, r, problem)
	if err == nil || !IsTaken(err) {
		return t, false, err
	}
	t, err = Listen(netip.AddrPortFrom(address.Addr(), 0), target, r, problem)
	return t, true, err
}

// Errors of bind in Windows Sockets (Windows Sockets Error Codes). Their numbers are no errors
// of other systems.
const (
	wsaeAccess    = syscall.Errno(10013) // a server uses the port exclusively, or Windows reserves it, as for Hyper-V
	wsaeAddrInUse = syscall.Errno(10048)
)

// IsTaken reports whether err says that a port cannot be had because it is in use or reserved.
func IsTaken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaeAddrInUse) || errors.Is(err, wsaeAccess)
}
