//go:build cgo

package window

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
	"porthole/monitor/traffic/decode"
	"porthole/monitor/traffic/har"
	"porthole/monitor/traffic/replay"
	"porthole/monitor/traffic/source"
	"porthole/monitor/traffic/tap"
	uitraffic "porthole/ui/traffic"
)

// trafficPace is the shortest time between two updates of a traffic window.
const trafficPace = 200 * time.Millisecond

// tapPort is where a tap listens if it can: the port that is watched by default.
const tapPort = 62893

// recording implements ui/traffic.Recording. The traffic stays in this process.
type recording struct {
	p        *program
	listener *monitor.Listener
	store    *traffic.Store
	recorder *traffic.Recorder
	ctx      context.Context // ends with the traffic window
	cancel   context.CancelFunc
	sources  sync.WaitGroup     // the source, and those before it
	stop     context.CancelFunc // ends the source
}

// RecordTraffic prepares a recording of l.
func (a actions) RecordTraffic(l *monitor.Listener, changed func()) uitraffic.Recording {
	ctx, cancel := context.WithCancel(a.p.ctx)
	r := &recording{p: a.p, listener: l, store: traffic.NewStore(traffic.Limits{}), ctx: ctx, cancel: cancel, stop: func() {}}
	r.recorder = traffic.NewRecorder(r.store, decode.Protocols())
	notices, unwatch := r.store.Watch()
	a.p.work.Go(func() {
		defer unwatch()
		for {
			select {
			case <-ctx.Done():
				r.sources.Wait()
				r.recorder.Shutdown()
				return
			case <-notices:
				a.p.do(changed)
			}
			select {
			case <-ctx.Done():
			case <-time.After(trafficPace):
			}
		}
	})
	return r
}

func (r *recording) Store() *traffic.Store { return r.store }

func (r *recording) Undecoded() int64 { return r.recorder.Undecoded() }

// Close ends the source. Connections through a tap may finish for a while.
func (r *recording) Close() { r.cancel() }

// Start begins to read from a source, in place of the one before.
func (r *recording) Start(s uitraffic.Source, done func(address, problem string)) {
	r.stop()
	ctx, stop := context.WithCancel(r.ctx)
	r.stop = stop
	report := func(address, problem string) {
		if r.ctx.Err() == nil {
			r.p.do(func() { done(address, problem) })
		}
	}
	r.sources.Go(func() {
		var err error
		if s == uitraffic.Tap {
			err = r.runTap(ctx, report)
		} else {
			err = r.runCapture(ctx, report)
		}
		if err != nil && ctx.Err() == nil {
			r.p.log.Warn("can't read traffic", "source", s, "port", r.listener.Port, "error", err)
			report("", trafficProblem(err))
		}
	})
}

// runTap serves a tap until ctx ends.
func (r *recording) runTap(ctx context.Context, report func(address, problem string)) error {
	target := tap.Target{Port: r.listener.Port}
	if a := r.listener.Addresses; len(a) == 1 && !a[0].IsUnspecified() {
		target.Address = a[0].Unmap()
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	problem := func(err error) { r.p.log.Warn("tap", "port", r.listener.Port, "error", err) }
	port := uint16(tapPort)
	if port == r.listener.Port {
		port = 0
	}
	t, _, err := tap.ListenOrFree(netip.AddrPortFrom(loopback, port), target, source.To(r.recorder), problem)
	if err != nil {
		return err
	}
	report(t.Addr().String(), "")
	return t.Serve(ctx)
}

// runCapture captures until ctx ends.
func (r *recording) runCapture(ctx context.Context, report func(address, problem string)) error {
	o := capture.Options{Port: r.listener.Port}
	if r.listener.OnNetwork() {
		o.Interface = "any"
	}
	c, err := capture.Open(ctx, o)
	if err != nil {
		return err
	}
	report("", "")
	return c.Run(ctx, source.To(r.recorder), nil)
}

// trafficProblem says why traffic can't be read.
func trafficProblem(err error) string {
	if errors.Is(err, capture.ErrNotAllowed) {
		return lang.L("Your user may not capture packets. Join the group “wireshark” (and install dumpcap), or use a tap, which needs no permission.")
	}
	return lang.L("Can't read the traffic: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 300)})
}

// Replay sends the request of e again.
func (r *recording) Replay(e *traffic.Exchange, done func(*traffic.Exchange, string)) {
	r.p.work.Go(func() {
		answer, err := replay.Send(r.ctx, e, r.store.Limits())
		problem := ""
		switch {
		case errors.Is(err, replay.ErrIncomplete):
			problem = lang.L("The body of this request is not known completely, so it can't be sent again")
		case err != nil:
			problem = lang.L("Can't send the request: {{.Why}}", map[string]any{"Why": monitor.CleanMasked(err.Error(), 300)})
		}
		if r.ctx.Err() == nil {
			r.p.do(func() { done(answer, problem) })
		}
	})
}

// Save writes exchanges to a HAR file, which only the user can read.
func (r *recording) Save(path string, exchanges []*traffic.Exchange, unmasked bool, done func(problem string)) {
	r.p.work.Go(func() {
		problem := ""
		if err := saveHAR(path, exchanges, har.Options{Version: r.p.version, Unmasked: unmasked}); err != nil {
			r.p.log.Warn("can't save traffic", "error", err)
			problem = lang.L("Can't save the traffic: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 200)})
		}
		r.p.do(func() { done(problem) })
	})
}

// saveHAR replaces the file at path when all is written.
func saveHAR(path string, exchanges []*traffic.Exchange, o har.Options) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".porthole-*.har") // only the user can read it
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // incomplete
		}
	}()
	if err := har.Write(f, exchanges, o); err != nil {
		_ = f.Close() // the first error matters
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
