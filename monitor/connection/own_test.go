package connection

import (
	"net/netip"
	"testing"
	"time"
)

func TestOwn(t *testing.T) {
	now := time.Now()
	server, client := netip.MustParseAddrPort("127.0.0.1:3000"), netip.MustParseAddrPort("127.0.0.1:40000")
	mapped := netip.MustParseAddrPort("[::ffff:127.0.0.1]:3000")
	var own Own
	if own.Has(now, server, client) || own.Ended(now, server, client) {
		t.Error("an unknown connection is own")
	}
	own.Add(now, server, client)
	if !own.Has(now, mapped, client) {
		t.Error("the server's socket writes its address as IPv6: got not own, want own")
	}
	if own.Has(now, client, server) || own.Has(now.Add(2*ownFor), server, client) {
		t.Error("another connection, or an old one, is own")
	}
	if !own.Ended(now, mapped, client) || own.Has(now, server, client) {
		t.Error("got still own after its end, want own until then: the port of a client is used again")
	}
	for i := range 2 * maxOwn {
		own.Add(now, netip.AddrPortFrom(server.Addr(), uint16(i)), client)
	}
	if len(own.ends) > maxOwn {
		t.Errorf("got %d connections, want at most %d", len(own.ends), maxOwn)
	}
}
