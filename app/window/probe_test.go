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
	"porthole/ui"
)

// The watcher looks at what is wanted and nothing else, counts no
// more often than it looks by itself, and ends with its context.
func TestTheWatcherLooksAtWhatIsWanted(t *testing.T) {
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
	wanted := make(chan ui.ProbeRequest)
	shown := make(chan ui.ProbeResult, 1)
	ctx, cancel := context.WithCancel(t.Context())
	w := &prober{log: slog.New(slog.NewTextHandler(io.Discard, nil)), show: func(v ui.ProbeResult) { shown <- v }, tick: func() {}}
	w.request = func() (ui.ProbeRequest, bool) {
		select {
		case x := <-wanted:
			return x, true
		case <-ctx.Done():
			return ui.ProbeRequest{}, false
		}
	}
	nudge, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx, nudge)
	}()
	wanted <- ui.ProbeRequest{}
	if v := <-shown; v.Counts != nil || v.States != nil || len(v.Processes) != 0 {
		t.Errorf("with nothing wanted: %+v", v)
	}
	all := ui.ProbeRequest{Count: []*monitor.Listener{l}, Connections: []*monitor.Listener{l}, Processes: []monitor.Owner{self}}
	nudge <- struct{}{}
	wanted <- all
	v := <-shown
	if p := v.Processes[ui.ProcessID{PID: self.PID, Start: self.Start}]; p.Resources.Threads < 1 || v.Counts["1"] != 1 || len(v.States["1"].Conns) != 1 {
		t.Errorf("with everything wanted: %+v", v)
	}
	nudge <- struct{}{}
	wanted <- all
	if v = <-shown; v.Counts != nil || len(v.States["1"].Conns) != 1 {
		t.Errorf("at once again: %+v; want no count", v)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end with its context")
	}
}

// Each second passes, and every other one has a look.
func TestTheWatcherLooksEveryOtherSecond(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	looks, seconds := 0, 0
	w := &prober{log: slog.New(slog.NewTextHandler(io.Discard, nil)), show: func(ui.ProbeResult) { looks++ }}
	w.request = func() (ui.ProbeRequest, bool) { return ui.ProbeRequest{}, true }
	w.tick = func() {
		if seconds++; seconds == 4 {
			cancel()
		}
	}
	w.run(ctx, nil)
	// The first is at once, and the last may be seen to be too late.
	if looks < 2 || looks > 3 {
		t.Errorf("%d looks in %d seconds; want 2 or 3", looks, seconds)
	}
}
