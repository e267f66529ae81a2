//go:build cgo

package window

import (
	"maps"
	"time"

	"porthole/ui/probe"
)

// Times between probes. A probe reads the kernel's whole table of connections, and each text that it
// changes makes Fyne repaint the whole window: without a graphics card that takes 10 to 30 ms of
// CPU time.
const (
	probeInterval = 2 * time.Second
	restInterval  = 10 * time.Second // of a window at rest
	restAfter     = 15               // probes without news, after which a window is at rest
)

// pace decides when the next probe is due. A window on which nothing happens is probed less often,
// because most windows stay open all day.
type pace struct {
	counts map[string]int // the last numbers of connections
	quiet  int            // probes without news
}

// disturb ends the rest: the user has done something.
func (p *pace) disturb() { p.quiet = 0 }

// next returns the time until the next probe after one with this result.
func (p *pace) next(request probe.Request, result probe.Result) time.Duration {
	p.quiet++
	if result.Counts != nil && !maps.Equal(result.Counts, p.counts) {
		p.counts, p.quiet = result.Counts, 0
	}
	for _, s := range result.States {
		if len(s.Conns) > 0 || s.QueueFull() {
			p.quiet = 0 // their rates are on the screen
		}
	}
	if request.Rates {
		p.quiet = 0
	}
	if p.quiet >= restAfter {
		return restInterval
	}
	return probeInterval
}
