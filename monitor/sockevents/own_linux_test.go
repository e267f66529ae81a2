package sockevents

import (
	"net"
	"net/netip"
	"testing"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/connection"
)

// Porthole's own connections are neither counted nor clients, whether they end soon or are seen
// established; those of others are.
func TestOwnConnectionsAreLeftOut(t *testing.T) {
	tracker, clients := trackClients(t)
	s := serve(t, "127.0.0.1:0")
	tracker.Watch(Wanted{Listeners: []*monitor.Listener{s.listener}, Identify: true})
	tracker.Totals(t.Context())
	own := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		tracker.Own(netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(c.RemoteAddr().String()))
		return c
	}
	for range 20 {
		_ = own().Close()
	}
	held := own()
	defer held.Close()
	await.Until(t, "the held connection is accepted", func() bool { return s.accepted.Load() == 21 })
	if got := tracker.Totals(t.Context())[s.listener.ID]; got.Connections != 0 || len(got.Clients) != 0 {
		t.Errorf("got %+v, want no own connections", got)
	}
	if err := ask(s.Addr().String(), 2); err != nil {
		t.Fatal(err)
	}
	_ = held.Close()
	var got connection.Totals
	await.Until(t, "the connection of another client is counted", func() bool {
		got = tracker.Totals(t.Context())[s.listener.ID]
		return got.Connections > 0
	})
	if got.Connections != 1 || len(clients) > 1 {
		t.Errorf("got %+v and %d clients, want one", got, len(clients))
	}
}
