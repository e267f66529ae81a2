//go:build cgo

package window

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/ui/probe"
)

// The prober reads only what is requested, counts at most once per probeInterval, and
// ends with its context.
func TestProberReadsWhatIsRequested(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	at := netip.MustParseAddrPort(ln.Addr().String())
	l := &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}}
	self, err := process.Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	requests := make(chan probe.Request)
	results := make(chan probe.Result, 1)
	ctx, cancel := context.WithCancel(t.Context())
	w := &prober{log: slog.New(slog.NewTextHandler(io.Discard, nil)), show: func(r probe.Result) { results <- r }, tick: func() {}, count: func([]uint16) {}}
	w.request = func() (probe.Request, bool) {
		select {
		case r := <-requests:
			return r, true
		case <-ctx.Done():
			return probe.Request{}, false
		}
	}
	nudge, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx, nudge)
	}()
	requests <- probe.Request{}
	if v := <-results; v.Counts != nil || v.States != nil || len(v.Processes) != 0 {
		t.Errorf("empty request: got %+v, want nothing", v)
	}
	all := probe.Request{Count: []*monitor.Listener{l}, Connections: []*monitor.Listener{l}, Processes: []monitor.Owner{self},
		Firewall: []*monitor.Listener{{ID: "exposed", Exposure: monitor.ExposureNetwork}}}
	nudge <- struct{}{}
	requests <- all
	v := <-results
	if p := v.Processes[probe.IDOf(self)]; p.Resources.Threads < 1 || v.Counts["1"] != 1 || len(v.States["1"].Conns) != 1 || v.Firewall["exposed"].State == "" {
		t.Errorf("full request: got %+v, want threads, a count, a connection and an answer of the firewall", v)
	}
	nudge <- struct{}{}
	requests <- all
	if v = <-results; v.Counts != nil || len(v.States["1"].Conns) != 1 || v.Firewall["exposed"].State == "" {
		t.Errorf("immediately again: got %+v, want a connection, the firewall's answer and no count", v)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the prober did not end within 10 s of its context")
	}
}

// tick is called every second, and a probe runs every other second.
func TestProberInterval(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	probes, seconds := 0, 0
	w := &prober{log: slog.New(slog.NewTextHandler(io.Discard, nil)), show: func(probe.Result) { probes++ }}
	w.request = func() (probe.Request, bool) { return probe.Request{}, true }
	w.tick = func() {
		if seconds++; seconds == 4 {
			cancel()
		}
	}
	w.run(ctx, nil)
	// The first probe is immediate; the last one may coincide with the end.
	if probes < 2 || probes > 3 {
		t.Errorf("got %d probes in %d seconds, want 2 or 3", probes, seconds)
	}
}
