package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/traffic/capture"
	protocols "porthole/monitor/traffic/decode"
	trafficfile "porthole/monitor/traffic/file"
	"porthole/monitor/traffic/har"
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
	err = trafficfile.Packets(ctx, file, r.recorder)
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
