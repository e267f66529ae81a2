// Command portlist is a peer in the benchmark of new listeners: it reports the ports that
// open as tailscale's portlist package sees them, at the interval that the package
// recommends. It is a module of its own, because Porthole does not need that package.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"tailscale.com/portlist"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "portlist:", err)
		os.Exit(1)
	}
}

// run prints one line of JSON when it is ready and one for each port that opens, until
// its output is closed.
func run() error {
	p := portlist.Poller{IncludeLocalhost: true}
	out := json.NewEncoder(os.Stdout)
	known := map[uint16]bool{}
	for first := true; ; time.Sleep(portlist.PollInterval()) {
		ports, changed, err := p.Poll()
		if err != nil {
			return fmt.Errorf("list the ports: %w", err)
		}
		now := monotonic()
		if !changed && !first {
			continue
		}
		open := map[uint16]bool{}
		for _, port := range ports {
			if port.Proto != "tcp" {
				continue
			}
			open[port.Port] = true
			if !first && !known[port.Port] {
				if err := out.Encode(event{"opened", port.Port, now}); err != nil {
					return err
				}
			}
		}
		if known = open; first {
			if err := out.Encode(event{Kind: "ready"}); err != nil {
				return err
			}
		}
		first = false
	}
}

// event is an answer of a worker of the benchmark.
type event struct {
	Kind string
	Port uint16
	At   time.Duration // of the monotonic clock
}

func monotonic() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // does not fail
	return time.Duration(t.Nano())
}
