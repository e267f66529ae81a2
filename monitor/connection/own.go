package connection

import (
	"net/netip"
	"time"
)

// ownFor is how long an own connection is remembered whose end is not reported, and maxOwn
// how many.
const (
	ownFor = time.Hour
	maxOwn = 4096
)

// Own are connections that Porthole itself made, to ask what a server answers. They are not
// among its clients and are not counted. The zero value is ready to use. It is not safe for
// concurrent use.
type Own struct{ ends map[ends]time.Time }

// ends are both ends of a connection.
type ends struct{ local, remote netip.AddrPort }

// endsOf returns the ends in the form that does not depend on how a socket writes addresses.
func endsOf(local, remote netip.AddrPort) ends {
	plain := func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
	}
	return ends{plain(local), plain(remote)}
}

// Add remembers a connection: local is the listener's end, remote is Porthole's.
func (o *Own) Add(now time.Time, local, remote netip.AddrPort) {
	if o.ends == nil {
		o.ends = map[ends]time.Time{}
	}
	if len(o.ends) >= maxOwn {
		for e, at := range o.ends {
			if now.Sub(at) > ownFor {
				delete(o.ends, e)
			}
		}
	}
	if len(o.ends) < maxOwn {
		o.ends[endsOf(local, remote)] = now
	}
}

// Has reports whether Porthole made the connection.
func (o *Own) Has(now time.Time, local, remote netip.AddrPort) bool {
	at, ok := o.ends[endsOf(local, remote)]
	return ok && now.Sub(at) <= ownFor
}

// Ended reports whether Porthole made the connection, and forgets it.
func (o *Own) Ended(now time.Time, local, remote netip.AddrPort) bool {
	own := o.Has(now, local, remote)
	delete(o.ends, endsOf(local, remote))
	return own
}
