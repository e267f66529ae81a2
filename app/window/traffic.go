//go:build cgo

package window

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
	"porthole/monitor/traffic/decode"
	trafficfile "porthole/monitor/traffic/file"
	"porthole/monitor/traffic/har"
	"porthole/monitor/traffic/pcap"
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
	listener *monitor.Listener // nil if path is not ""
	path     string            // of a file that is read
	store    *traffic.Store
	recorder *traffic.Recorder
	packets  *pcap.Memory
	ctx      context.Context // ends with the traffic window
	cancel   context.CancelFunc
	sources  sync.WaitGroup     // the source, and those before it
	stop     context.CancelFunc // ends the source
}

// packetMemory is how many bytes of packets are kept, to be saved as pcapng.
const packetMemory = 16 << 20

// RecordTraffic prepares a recording of l.
func (a actions) RecordTraffic(l *monitor.Listener, changed func()) uitraffic.Recording {
	return a.p.newRecording(l, "", changed)
}

// ReadTraffic prepares a recording of what is in a file.
func (a actions) ReadTraffic(path string, changed func()) uitraffic.Recording {
	return a.p.newRecording(nil, path, changed)
}

// newRecording returns a recording of l or of the file at path, and calls changed while
// it changes.
func (p *program) newRecording(l *monitor.Listener, path string, changed func()) *recording {
	r := &recording{p: p, listener: l, path: path, store: traffic.NewStore(p.limits), packets: pcap.NewMemory(packetMemory), stop: func() {}}
	r.ctx, r.cancel = context.WithCancel(p.ctx)
	r.recorder = traffic.NewRecorder(r.store, decode.Protocols())
	notices, unwatch := r.store.Watch()
	p.work.Go(func() {
		defer unwatch()
		for {
			select {
			case <-r.ctx.Done():
				r.sources.Wait()
				r.recorder.Shutdown()
				return
			case <-notices:
				p.do(changed)
			}
			select {
			case <-r.ctx.Done():
			case <-time.After(trafficPace):
			}
		}
	})
	return r
}

func (r *recording) Store() *traffic.Store { return r.store }

func (r *recording) Undecoded() int64 { return r.recorder.Undecoded() }

func (r *recording) Packets() int64 { return r.packets.Size() }

func (*recording) CanElevate() bool { return capture.Elevated() != nil }

// Clear removes what was recorded, and returns its memory to the system.
func (r *recording) Clear() {
	r.store.Clear()
	r.packets.Clear()
	r.p.work.Go(debug.FreeOSMemory)
}

func (r *recording) SetPaused(paused bool) {
	r.store.SetPaused(paused)
	r.packets.SetPaused(paused)
}

// Close ends the source. Connections through a tap may finish for a while.
func (r *recording) Close() { r.cancel() }

// Start begins to read from a source, in place of the one before.
func (r *recording) Start(s uitraffic.Source, done func(uitraffic.Started)) {
	r.stop()
	ctx, stop := context.WithCancel(r.ctx)
	r.stop = stop
	report := func(started uitraffic.Started) {
		if ctx.Err() == nil {
			r.p.do(func() { done(started) })
		}
	}
	run := map[uitraffic.Source]func(context.Context, func(uitraffic.Started)) error{
		uitraffic.Tap:  r.runTap,
		uitraffic.File: r.readFile,
		uitraffic.Capture: func(ctx context.Context, report func(uitraffic.Started)) error {
			return r.runCapture(ctx, nil, report)
		},
		uitraffic.Elevated: func(ctx context.Context, report func(uitraffic.Started)) error {
			return r.runCapture(ctx, capture.Elevated(), report)
		},
	}[s]
	r.sources.Go(func() {
		if err := run(ctx, report); err != nil && ctx.Err() == nil {
			r.p.log.Warn("can't read traffic", "source", s, "error", err)
			report(uitraffic.Started{Problem: trafficProblem(err), Denied: errors.Is(err, capture.ErrNotAllowed)})
		}
	})
}

// readFile reads the file of the recording.
func (r *recording) readFile(ctx context.Context, report func(uitraffic.Started)) error {
	if err := trafficfile.Read(ctx, r.path, r.store, r.recorder); err != nil {
		return err
	}
	report(uitraffic.Started{})
	return nil
}

// keepPackets returns a writer of packets to memory. name is that of the interface.
func (r *recording) keepPackets(name string) (*pcap.Writer, error) {
	r.packets.Clear() // those of the source before
	return pcap.New(r.packets, pcap.Options{Interface: name, Version: r.p.version})
}

// closePackets writes what waits.
func (r *recording) closePackets(w *pcap.Writer, stats capture.Stats) {
	if err := w.Close(stats); err != nil {
		r.p.log.Warn("packets are missing", "error", err)
	}
}

// runTap serves a tap until ctx ends.
func (r *recording) runTap(ctx context.Context, report func(uitraffic.Started)) error {
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
	packets, err := r.keepPackets("tap of " + target.String())
	if err != nil {
		return err
	}
	defer func() { r.closePackets(packets, capture.Stats{}) }()
	recorder := source.Both(source.To(r.recorder), packets.Connections())
	t, _, err := tap.ListenOrFree(netip.AddrPortFrom(loopback, port), target, recorder, problem)
	if err != nil {
		return err
	}
	report(uitraffic.Started{Address: t.Addr().String()})
	return t.Serve(ctx)
}

// runCapture captures until ctx ends. program is what captures in place of this process;
// nil to find a way that is allowed.
func (r *recording) runCapture(ctx context.Context, program []string, report func(uitraffic.Started)) error {
	o := capture.Options{Port: r.listener.Port, Program: program}
	if r.listener.OnNetwork() {
		o.Interface = "any"
	}
	c, err := capture.Open(ctx, o)
	if err != nil {
		return err
	}
	packets, err := r.keepPackets(c.Interface())
	if err != nil {
		c.Close()
		return err
	}
	defer func() { r.closePackets(packets, c.Stats()) }()
	report(uitraffic.Started{})
	return c.Run(ctx, source.Both(source.To(r.recorder), packets.Names()), packets.Packet)
}

// trafficProblem says why traffic can't be read.
func trafficProblem(err error) string {
	switch {
	case errors.Is(err, capture.ErrNotAllowed):
		return lang.L("Your user may not capture packets. Join the group “wireshark” (and install dumpcap), or use a tap, which needs no permission.")
	case errors.Is(err, capture.ErrDismissed):
		return lang.L("Nothing is captured: the administrator's password was not entered.")
	case errors.Is(err, capture.ErrRefused):
		return lang.L("Nothing is captured: your user may not become administrator, or nothing in this session asks for the password.")
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

// Save writes exchanges to a HAR file.
func (r *recording) Save(path string, exchanges []*traffic.Exchange, unmasked bool, done func(problem string)) {
	r.save(path, done, func(out io.Writer) error {
		return har.Write(out, exchanges, har.Options{Version: r.p.version, Unmasked: unmasked})
	})
}

// packetDelay is how long packets wait before they are in memory (see pcap.Writer).
const packetDelay = 500 * time.Millisecond

// SavePackets writes the packets to a pcapng file.
func (r *recording) SavePackets(path string, done func(problem string)) {
	r.save(path, done, func(out io.Writer) error {
		select {
		case <-time.After(packetDelay): // the newest are on their way
		case <-r.ctx.Done():
		}
		_, err := r.packets.WriteTo(out)
		return err
	})
}

// save writes a file, which only the user can read, and reports the result.
func (r *recording) save(path string, done func(problem string), write func(io.Writer) error) {
	r.p.work.Go(func() {
		problem := ""
		if err := saveFile(path, write); err != nil {
			r.p.log.Warn("can't save traffic", "error", err)
			problem = lang.L("Can't save the traffic: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 200)})
		}
		r.p.do(func() { done(problem) })
	})
}

// saveFile replaces the file at path when all is written.
func saveFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".porthole-*") // only the user can read it
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // incomplete
		}
	}()
	if err := write(f); err != nil {
		_ = f.Close() // the first error matters
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
