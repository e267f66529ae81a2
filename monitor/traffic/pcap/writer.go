// Package pcap saves traffic in the format pcapng: of a capture the packets, of a tap
// TCP connections that are made up around the bytes that passed.
package pcap

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
	"porthole/monitor/traffic/source"
)

// Options describe a file.
type Options struct {
	Interface string // "lo", or "tap of 3000"
	Version   string // of Porthole
	// Failed is called once if the file cannot be written. What comes afterwards is
	// ignored. It may be nil.
	Failed func(error)
}

// Writer writes a file. Its methods are safe for concurrent use and do not wait for the
// disk. Close must be called.
type Writer struct {
	options Options
	out     io.WriteCloser
	ng      *pcapgo.NgWriter

	mu      sync.Mutex
	queue   events
	pending int // bytes in queue
	last    uint64
	dropped int64
	closed  bool
	err     error
	wake    chan struct{}
	done    chan struct{}

	// The fields below belong to the goroutine that writes.

	names   map[netip.AddrPort]string // of clients, for a comment on the next packet
	buffer  gopacket.SerializeBuffer
	written uint64
}

const (
	// delay is how long events wait: those of different connections come from different
	// goroutines, and processes are found a moment later.
	delay = 200 * time.Millisecond
	// maxPending limits the bytes that wait for the disk.
	maxPending = 32 << 20
	// maxNames limits the clients that wait for their next packet.
	maxNames = 4096
)

// event is something to write.
type event struct {
	at     time.Time
	number uint64 // in the order of arrival
	data   []byte
	length int    // of a packet
	flow   *flow  // nil for a packet of a capture
	do     func() // changes state; run in the order of times
}

// events is a heap, the oldest event first.
type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].number < e[j].number
	}
	return e[i].at.Before(e[j].at)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return x
}

// New writes the beginning of a file to out, which Close closes.
func New(out io.WriteCloser, o Options) (*Writer, error) {
	system := runtime.GOOS
	ng, err := pcapgo.NewNgWriterInterface(out, pcapgo.NgInterface{Name: o.Interface, LinkType: layers.LinkTypeRaw, TimestampResolution: 9, OS: system},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Hardware: runtime.GOARCH, OS: system, Application: "Porthole " + o.Version}})
	if err == nil {
		err = ng.Flush()
	}
	if err != nil {
		_ = out.Close()
		return nil, fmt.Errorf("write the pcapng file: %w", err)
	}
	w := &Writer{options: o, out: out, ng: ng, wake: make(chan struct{}, 1), done: make(chan struct{}), names: make(map[netip.AddrPort]string), buffer: gopacket.NewSerializeBuffer()}
	go w.run() // ends with Close
	return w, nil
}

// add queues an event. It reports false if there is no room for it.
func (w *Writer) add(e *event) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil {
		return true
	}
	if w.pending+len(e.data) > maxPending && len(e.data) > 0 {
		return false
	}
	w.last++
	e.number = w.last
	w.pending += len(e.data)
	heap.Push(&w.queue, e)
	return true
}

// Packet writes a packet of a capture.
func (w *Writer) Packet(p capture.Packet) {
	e := &event{at: p.At, data: append([]byte(nil), p.IP...), length: p.Length}
	e.do = func() { w.writePacket(e.at, e.data, e.length, w.comment(e.data)) }
	if !w.add(e) {
		w.drop(int64(len(p.IP)))
	}
}

func (w *Writer) drop(n int64) {
	w.mu.Lock()
	w.dropped += n
	w.mu.Unlock()
}

// comment returns the name of a client that was found since its last packet.
func (w *Writer) comment(ip []byte) string {
	if len(w.names) == 0 {
		return ""
	}
	src, dst, ok := addresses(ip)
	if !ok {
		return ""
	}
	for _, a := range []netip.AddrPort{src, dst} {
		if name, found := w.names[a]; found {
			delete(w.names, a)
			return name
		}
	}
	return ""
}

// Names returns a Recorder for Capture.Run, which adds the names of clients to the packets.
func (w *Writer) Names() source.Recorder { return names{w} }

type names struct{ w *Writer }

// Open implements source.Recorder.
func (n names) Open(c traffic.Conn) source.Stream { return named{n.w, c.Client} }

type named struct {
	w      *Writer
	client netip.AddrPort
}

func (n named) Identify(p traffic.Process) {
	n.w.add(&event{at: time.Now(), do: func() {
		if len(n.w.names) >= maxNames {
			clear(n.w.names)
		}
		n.w.names[n.client] = describe(p)
	}})
}
func (named) Data(traffic.Direction, time.Time, []byte) {}
func (named) Lost(traffic.Direction, time.Time, int64)  {}
func (named) Close(traffic.Direction, time.Time, error) {}

// describe returns the comment about a client.
func describe(p traffic.Process) string {
	return fmt.Sprintf("client: %s (PID %d)", monitor.Clean(p.Name, 60), p.PID)
}

// run writes events when they are old enough.
func (w *Writer) run() {
	defer close(w.done)
	ticker := time.NewTicker(delay / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-w.wake:
		}
		w.mu.Lock()
		closed := w.closed
		w.mu.Unlock()
		w.write(closed)
		if closed {
			return
		}
	}
}

// write writes the events that are old enough, or all.
func (w *Writer) write(all bool) {
	before := time.Now().Add(-delay)
	wrote := false
	for {
		w.mu.Lock()
		if len(w.queue) == 0 || w.err != nil || !all && w.queue[0].at.After(before) {
			failed := w.err != nil
			if failed {
				w.queue, w.pending = nil, 0
			}
			w.mu.Unlock()
			break
		}
		e := heap.Pop(&w.queue).(*event)
		w.pending -= len(e.data)
		w.mu.Unlock()
		e.do()
		wrote = true
	}
	if wrote {
		w.fail(w.ng.Flush())
	}
}

// writePacket writes one packet.
func (w *Writer) writePacket(at time.Time, ip []byte, length int, comment string) {
	info := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(ip), Length: max(length, len(ip))}
	var o pcapgo.NgPacketOptions
	if comment != "" {
		o.Comments = []string{comment}
	}
	w.written++
	w.fail(w.ng.WritePacketWithOptions(info, ip, o))
}

// fail notes the first error.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	first := err != nil && w.err == nil
	if first {
		w.err = fmt.Errorf("write the pcapng file: %w", err)
		err = w.err
	}
	w.mu.Unlock()
	if first && w.options.Failed != nil {
		w.options.Failed(err)
	}
}

// ErrDropped is the error of Close if the disk was too slow for all bytes.
var ErrDropped = errors.New("the disk was too slow")

// Close writes what waits and closes the file. stats are those of the capture; the zero
// value for a tap.
func (w *Writer) Close(stats capture.Stats) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	<-w.done
	if w.err == nil {
		s := pcapgo.NgInterfaceStatistics{LastUpdate: time.Now(), PacketsReceived: w.written, PacketsDropped: stats.Dropped}
		w.fail(w.ng.WriteInterfaceStats(0, s))
		w.fail(w.ng.Flush())
	}
	if err := w.out.Close(); err != nil {
		w.fail(err)
	}
	if w.err == nil && w.dropped > 0 {
		return fmt.Errorf("%d bytes are missing in the pcapng file: %w", w.dropped, ErrDropped)
	}
	return w.err
}
