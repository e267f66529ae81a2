package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
	protocols "porthole/monitor/traffic/decode"
	"porthole/monitor/traffic/har"
	"porthole/monitor/traffic/source"
	"porthole/ui/filter"
)

func newTraffic(version string) *cobra.Command {
	o := trafficOptions{Options: standardOptions(), Version: version}
	c := &cobra.Command{
		Use:   "traffic FILE [FILTER]...",
		Short: "Print the requests in a HAR, pcapng or pcap file",
		Long: `Print a line for each request in a file and its answer. FILE is a HAR file, or has
packets in the format pcapng or pcap: saved by tap or capture, or by other programs
such as a browser, Wireshark or tcpdump. "-" reads stdin.
` + filterHelp,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runTraffic(c.Context(), os.Stdin, args, o) },
	}
	o.addTo(c)
	return c
}

// runTraffic prints the exchanges in a file.
func runTraffic(ctx context.Context, stdin io.Reader, args []string, o trafficOptions) error {
	o.Words = filter.ParseExchanges(strings.Join(args[1:], " "))
	in, name := stdin, "stdin"
	if args[0] != "-" {
		name = args[0]
		f, err := os.Open(name)
		if err != nil {
			return UsageError{fmt.Sprintf("can't read the file: %v", err)}
		}
		defer f.Close()
		in = f
	}
	buffered := bufio.NewReaderSize(in, 1<<20)
	file, err := capture.OpenFile(buffered)
	switch {
	case errors.Is(err, capture.ErrFormat):
		return printHAR(buffered, name, o)
	case err != nil:
		return UsageError{fmt.Sprintf("%s: %v", monitor.Clean(name, 200), err)}
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	r := o.begin(protocols.Protocols(), end)
	err = readPackets(ctx, file, r.recorder)
	if file.Skipped() > 0 {
		o.note(fmt.Errorf("%d packets are no IP packets", file.Skipped()))
	}
	if err := errors.Join(err, r.finish()); err != nil {
		return fmt.Errorf("%s: %w", monitor.Clean(name, 200), err)
	}
	return nil
}

// printHAR prints the exchanges of a HAR file.
func printHAR(in io.Reader, name string, o trafficOptions) error {
	exchanges, err := har.Read(in)
	if err != nil {
		return UsageError{fmt.Sprintf("%s: no HAR, pcapng or pcap file: %v", monitor.Clean(name, 200), err)}
	}
	p := newPrinter(o, func() {})
	for i := range exchanges {
		p.wait(&exchanges[i])
	}
	return p.close()
}

// flushEvery is how many bytes are read from a file before they are decoded: unlike a
// network, a file can wait.
const flushEvery = 256 << 10

// readPackets records the packets of a file. Connections that are open at its end are
// ended there.
func readPackets(ctx context.Context, file *capture.File, r *traffic.Recorder) error {
	open := &openStreams{Recorder: source.To(r)}
	a := capture.NewAssembler(open, 0, nil)
	var last time.Time
	pending := 0
	var err error
	for ctx.Err() == nil {
		var p capture.Packet
		if p, err = file.Next(); err != nil {
			break
		}
		a.Add(p)
		last = p.At
		if pending += len(p.IP); pending > flushEvery {
			pending = 0
			a.Flush(last.Add(-time.Minute)) // in the time of the file
			r.Flush()
		}
	}
	a.Close()
	open.end(last)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// errFileEnds is the error of connections that are open at the end of a file.
var errFileEnds = errors.New("the file ends here")

// openStreams is a Recorder that knows which streams are open.
type openStreams struct {
	source.Recorder
	mu      sync.Mutex
	streams map[*openStream]struct{}
}

type openStream struct {
	source.Stream
	all    *openStreams
	closed [2]bool
}

// Open implements source.Recorder.
func (o *openStreams) Open(c traffic.Conn) source.Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.streams == nil {
		o.streams = make(map[*openStream]struct{})
	}
	s := &openStream{Stream: o.Recorder.Open(c), all: o}
	o.streams[s] = struct{}{}
	return s
}

// Close implements source.Stream.
func (s *openStream) Close(d traffic.Direction, at time.Time, err error) {
	s.Stream.Close(d, at, err)
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if s.closed[d] = true; s.closed == [2]bool{true, true} {
		delete(s.all.streams, s)
	}
}

// end closes the streams that are open.
func (o *openStreams) end(at time.Time) {
	for s := range o.streams {
		for d := range s.closed {
			if !s.closed[d] {
				s.Stream.Close(traffic.Direction(d), at, errFileEnds)
			}
		}
	}
}
