package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/traffic/capture"
	protocols "porthole/monitor/traffic/decode"
	"porthole/monitor/traffic/pcap"
	"porthole/monitor/traffic/source"
	"porthole/monitor/traffic/tap"
	"porthole/ui/filter"
)

// tapOptions are the flags of tap.
type tapOptions struct {
	trafficOptions
	Listen string
	Expose bool
}

// defaultListen is where a tap listens: the port that Porthole watches by default.
var defaultListen = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 62893)

func newTap(version string) *cobra.Command {
	o := tapOptions{trafficOptions: trafficOptions{Options: standardOptions(), Version: version}}
	c := &cobra.Command{
		Use:   "tap PORT | ADDRESS:PORT [FILTER]...",
		Short: "Forward connections to a port and print what is said",
		Long: `Listen on 127.0.0.1:62893 (or another port if that is taken), forward every connection
to a server on this machine, and print a line for each request and its answer. The
bytes pass unchanged. It needs no privileges and no settings in the server: connect
to the tap instead. Ctrl+C ends it; open connections may finish for 5 seconds.

HTTP/1, HTTP/2, gRPC, WebSocket, server-sent events, Redis, PostgreSQL and plain text
are decoded; of TLS, only the handshake. Nothing is stored unless you ask for it.
` + filterHelp,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runTap(c.Context(), args, o) },
	}
	o.addTo(c)
	c.Flags().StringVar(&o.PCAP, "pcap", "", "write the bytes to `FILE` in the format pcapng, as TCP connections")
	c.Flags().StringVar(&o.Listen, "listen", "", "listen on this `ADDRESS`, PORT or ADDRESS:PORT (default 127.0.0.1:62893)")
	c.Flags().BoolVar(&o.Expose, "expose", false, "allow an address that other machines can reach")
	return c
}

// runTap serves a tap until ctx ends.
func runTap(ctx context.Context, args []string, o tapOptions) error {
	wanted, err := parseTarget(args[0])
	if err != nil {
		return err
	}
	o.Words = filter.ParseExchanges(strings.Join(args[1:], " "))
	target := tap.Target{Port: wanted.Port}
	if wanted.Address.IsValid() && !wanted.Address.IsUnspecified() {
		target.Address = wanted.Address
	}
	address, fixed, err := o.address(target)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	r := o.begin(protocols.Protocols(), end)
	recorder := source.To(r.recorder)
	var packets *pcap.Writer
	if o.PCAP != "" {
		if packets, err = o.openPCAP("tap of " + target.String()); err != nil {
			return errors.Join(err, r.finish())
		}
		recorder = source.Both(recorder, packets.Connections())
	}
	t, err := listenTap(address, fixed, target, recorder, o.note)
	if err == nil {
		o.note(fmt.Errorf("tap of %s on %s: connect there instead; Ctrl+C ends it", target, t.Addr()))
		err = t.Serve(ctx)
	}
	if packets != nil {
		err = errors.Join(err, packets.Close(capture.Stats{}))
	}
	return errors.Join(err, r.finish())
}

// note prints something that is no exchange.
func (o trafficOptions) note(err error) {
	_, _ = fmt.Fprintf(o.Stderr, "porthole: %v\n", err) // stderr is the only place for it
}

// listenTap opens the tap. If the port is taken and the user did not ask for it, it takes
// a free one.
func listenTap(address netip.AddrPort, fixed bool, target tap.Target, r source.Recorder, note func(error)) (*tap.Tap, error) {
	if !fixed {
		t, taken, err := tap.ListenOrFree(address, target, r, note)
		if taken {
			note(fmt.Errorf("%s is taken, so the tap uses another port", address))
		}
		return t, err
	}
	t, err := tap.Listen(address, target, r, note)
	if err != nil && tap.IsTaken(err) {
		return nil, fmt.Errorf("%w; \"porthole who %d\" says by what", err, address.Port())
	}
	return t, err
}

// address returns where to listen, and whether the user asked for that port. The error is a
// UsageError.
func (o tapOptions) address(target tap.Target) (address netip.AddrPort, fixed bool, _ error) {
	address, fixed = defaultListen, o.Listen != ""
	if fixed {
		var err error
		if address, err = parseListen(o.Listen); err != nil {
			return address, fixed, err
		}
	}
	if !address.Addr().IsLoopback() && !o.Expose {
		return address, fixed, UsageError{fmt.Sprintf("other machines can reach %s; add --expose if they may", address)}
	}
	if address.Port() == target.Port {
		if fixed && (!target.Address.IsValid() || address.Addr().IsUnspecified() || target.Address == address.Addr()) {
			return address, fixed, UsageError{fmt.Sprintf("the tap can't listen on the port that it forwards to, %d", target.Port)}
		}
		if !fixed {
			address = netip.AddrPortFrom(address.Addr(), 0) // the server may not have started yet
		}
	}
	return address, fixed, nil
}

// parseListen parses "8080", "0.0.0.0", "127.0.0.1:8080" or "localhost:8080". Port 0 is any
// free one. The error is a UsageError.
func parseListen(text string) (netip.AddrPort, error) {
	if port, err := strconv.ParseUint(text, 10, 16); err == nil {
		return netip.AddrPortFrom(defaultListen.Addr(), uint16(port)), nil
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(a, defaultListen.Port()), nil
	}
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		switch host {
		case "localhost":
			host = "127.0.0.1"
		case "", "*":
			host = "0.0.0.0"
		}
		a, addrErr := netip.ParseAddr(host)
		n, portErr := strconv.ParseUint(port, 10, 16)
		if addrErr == nil && portErr == nil {
			return netip.AddrPortFrom(a, uint16(n)), nil
		}
	}
	return netip.AddrPort{}, UsageError{fmt.Sprintf("--listen %q: expected a port, an address, or both, such as 127.0.0.1:8080", monitor.Clean(text, 60))}
}

// openPCAP creates the file of --pcap. Only the user can read it.
func (o trafficOptions) openPCAP(name string) (*pcap.Writer, error) {
	f, err := os.OpenFile(o.PCAP, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("save the packets: %w", err)
	}
	o.note(fmt.Errorf("%s gets the bytes as they are, with passwords and tokens", o.PCAP))
	return pcap.New(f, pcap.Options{Interface: name, Version: o.Version, Failed: func(err error) {
		o.note(fmt.Errorf("%w; nothing more is saved", err))
	}})
}
