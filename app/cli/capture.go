package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"porthole/monitor/traffic/capture"
	protocols "porthole/monitor/traffic/decode"
	"porthole/monitor/traffic/pcap"
	"porthole/monitor/traffic/source"
	"porthole/ui/filter"
)

// captureOptions are the flags of capture.
type captureOptions struct {
	trafficOptions
	Interface string
}

func newCapture(version string) *cobra.Command {
	o := captureOptions{trafficOptions: trafficOptions{Options: standardOptions(), Version: version}}
	c := &cobra.Command{
		Use:   "capture PORT [FILTER]...",
		Short: "Capture the traffic of a port and print what is said",
		Long: `Read the packets from and to a port on the loopback interface, and print a line for
each request and its answer, until Ctrl+C. Clients and server notice nothing.

It needs the right to capture: root (sudo), the capability CAP_NET_RAW, or dumpcap or
tcpdump that you may run, such as Debian's dumpcap for members of the group wireshark.
"porthole tap" needs no privileges.
` + filterHelp,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runCapture(c.Context(), args, o) },
	}
	o.addTo(c)
	c.Flags().StringVar(&o.PCAP, "pcap", "", "write the packets to `FILE` in the format pcapng")
	c.Flags().StringVar(&o.Interface, "interface", "", "capture on the network interface `NAME`, or on \"any\" (default: loopback)")
	return c
}

// errNoCapture is the error of capture where it is not allowed, with the two ways to allow
// it.
func errNoCapture(port uint16, err error) error {
	return fmt.Errorf(`can't capture packets: use "sudo porthole capture %d", or let "sudo dpkg-reconfigure wireshark-common" allow dumpcap and join the group wireshark; "porthole tap %d" needs neither (%w)`, port, port, err)
}

// runCapture captures until ctx ends.
func runCapture(ctx context.Context, args []string, o captureOptions) error {
	wanted, err := parseTarget(args[0])
	if err != nil {
		return err
	}
	o.Words = filter.ParseExchanges(strings.Join(args[1:], " "))
	c, err := capture.Open(ctx, capture.Options{Port: wanted.Port, Interface: o.Interface})
	if errors.Is(err, capture.ErrNotAllowed) {
		return errNoCapture(wanted.Port, err)
	}
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var packets *pcap.Writer
	if o.PCAP != "" {
		if packets, err = o.openPCAP(c.Interface()); err != nil {
			c.Close()
			return err
		}
	}
	r := o.begin(protocols.Protocols(), end)
	recorder, packet := source.To(r.recorder), func(capture.Packet) {}
	if packets != nil {
		recorder, packet = source.Both(recorder, packets.Names()), packets.Packet
	}
	o.note(fmt.Errorf("capturing port %d on %s (%s); Ctrl+C ends it", wanted.Port, c.Interface(), c.How()))
	err = c.Run(ctx, recorder, packet)
	stats := c.Stats()
	if packets != nil {
		err = errors.Join(err, packets.Close(stats))
	}
	err = errors.Join(err, r.finish())
	if stats.Dropped > 0 {
		o.note(fmt.Errorf("the kernel dropped %d of %d packets, because there were too many", stats.Dropped, stats.Packets))
	} else {
		o.note(fmt.Errorf("packets captured: %d, dropped by the kernel: 0", stats.Packets))
	}
	return err
}
