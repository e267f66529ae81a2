package monitor

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// Tunnels widen the exposure of a listener, never narrow it.
func TestTunnelsWidenTheExposure(t *testing.T) {
	at := func(address string, tunnels ...Tunnel) *Listener {
		l := &Listener{Sockets: []HeldSocket{{Socket: Socket{Address: netip.MustParseAddr(address)}}}}
		l.SetTunnels(tunnels)
		return l
	}
	ngrok, serve, ssh := Tunnel{Through: "ngrok", Reach: ReachInternet}, Tunnel{Through: "tailscale serve", Reach: ReachTailnet}, Tunnel{Through: "ssh -R", Reach: ReachHost, Host: "a:80"}
	for _, test := range []struct {
		l         *Listener
		want      Exposure
		onNetwork bool
	}{
		{at("127.0.0.1"), ExposureLoopback, false},
		{at("127.0.0.1", ssh), ExposureNetwork, false},
		{at("127.0.0.1", serve), ExposureNetwork, false},
		{at("127.0.0.1", serve, ngrok), ExposurePublic, false},
		{at("0.0.0.0", ngrok), ExposurePublic, true},
		{at("0.0.0.0", serve), ExposureNetwork, true},
	} {
		if test.l.Exposure != test.want || test.l.OnNetwork() != test.onNetwork {
			t.Errorf("%v with %v: got %s, on the network: %v", test.l.Sockets[0].Address, test.l.Tunnels, test.l.Exposure, test.l.OnNetwork())
		}
	}
	if got, ok := at("127.0.0.1", serve, ngrok, Tunnel{Through: "bore", Reach: ReachInternet, URL: "bore.pub:1"}).PublicTunnel(); !ok || got.Through != "bore" {
		t.Errorf("got %+v, want the public tunnel whose URL is known", got)
	}
	if _, ok := at("127.0.0.1", serve).PublicTunnel(); ok {
		t.Error("the tailnet is public")
	}
}

// A tunnel is a change of the exposure; that its URL becomes known is no reason to notify.
func TestEventsOfATunnel(t *testing.T) {
	at := func(tunnels ...Tunnel) Snapshot {
		l := &Listener{ID: "a", Protocol: TCP, Port: 3000, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
			Sockets: []HeldSocket{{Socket: Socket{ID: 1, Address: netip.MustParseAddr("127.0.0.1")}}}}
		l.SetTunnels(tunnels)
		return Snapshot{TakenAt: time.Unix(1, 0), Listeners: []*Listener{l}}
	}
	kinds := func(old, new Snapshot) (kinds []Kind) {
		for _, e := range Diff(old, new) {
			kinds = append(kinds, e.Kind)
		}
		return kinds
	}
	public, named := at(Tunnel{Through: "ngrok", Reach: ReachInternet}), at(Tunnel{Through: "ngrok", Reach: ReachInternet, URL: "https://a"})
	if got := kinds(at(), public); !slices.Equal(got, []Kind{ExposureChanged}) {
		t.Errorf("a tunnel: got %v", got)
	}
	if got := kinds(public, named); !slices.Equal(got, []Kind{Updated}) {
		t.Errorf("its URL: got %v", got)
	}
	if got := kinds(named, at()); !slices.Equal(got, []Kind{ExposureChanged}) {
		t.Errorf("its end: got %v", got)
	}
}
