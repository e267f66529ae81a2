package firewall

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// machine is the network of this machine.
type machine struct {
	networks []network
	prefixes []prefix
}

// network is an interface that connects this machine to others, with one of the
// addresses under which they reach it.
type network struct {
	name    string
	index   int
	address netip.Addr
	kind    uint16 // ARPHRD_ (linux/if_arp.h); 0 if unknown
}

// prefix is a network that an interface leads to.
type prefix struct {
	netip.Prefix
	outgoing
}

// outgoing is the interface through which a connection leaves.
type outgoing struct {
	name  string
	index int
}

// readMachine reads the interfaces that are up, except for loopback.
func readMachine() (m machine, _ error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return m, fmt.Errorf("list the network interfaces: %w", err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || isBridgePort(i.Name) {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has just been removed
		}
		kind := hardwareType(i.Name)
		for _, a := range addresses {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			address := p.Addr().Unmap()
			m.networks = append(m.networks, network{i.Name, i.Index, address, kind})
			m.prefixes = append(m.prefixes, prefix{p.Masked(), outgoing{i.Name, i.Index}})
		}
	}
	return m, nil
}

// isBridgePort reports whether an interface belongs to a bridge, through which its packets
// arrive.
func isBridgePort(name string) bool {
	_, err := os.Stat("/sys/class/net/" + name + "/brport")
	return err == nil
}

// hardwareType returns the type of an interface (netdevice(7)); 0 if it is unknown.
func hardwareType(name string) uint16 {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, r) != nil {
		return 0
	}
	return r.Uint16()
}

// isLocal reports whether a is an address of this machine.
func (m machine) isLocal(a netip.Addr) bool {
	return a.IsLoopback() || slices.ContainsFunc(m.networks, func(n network) bool { return n.address == a })
}

// route returns the interface whose network contains a; an empty one if none does.
func (m machine) route(a netip.Addr) *outgoing {
	for _, p := range m.prefixes {
		if p.Contains(a) {
			return &p.outgoing
		}
	}
	return &outgoing{}
}
