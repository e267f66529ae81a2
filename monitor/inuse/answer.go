package inuse

import (
	"context"
	"net/netip"
	"slices"

	"porthole/monitor"
)

// Answer is whether a TCP server can bind a port that nothing listens on, and if not,
// why. The window, the tray and the command line show it in the same words.
type Answer struct {
	Port uint16
	Uses []Use // see [Find]
	Err  error // why the uses are unknown; it wraps errors.ErrUnsupported on systems that do not report them
}

// State is the answer in one word.
type State int

// The states.
const (
	Unknown State = iota
	Free
	FreeForTCP // only UDP sockets use the port
	Taken      // a TCP server can't bind all addresses
)

// Ask looks up the uses of port. It is safe for concurrent use.
func Ask(ctx context.Context, port uint16) Answer {
	uses, err := Find(ctx, port)
	return Answer{port, uses, err}
}

// Ask looks up the uses of at most MaxPorts ports. The result has all of them.
func (f *Finder) Ask(ctx context.Context, ports []uint16) map[uint16]Answer {
	uses, err := f.Find(ctx, ports)
	answers := make(map[uint16]Answer, len(ports))
	for _, port := range ports {
		answers[port] = Answer{port, uses[port], err}
	}
	return answers
}

// State returns the answer in one word.
func (a Answer) State() State {
	switch {
	case a.Port == 0, a.Err != nil:
		return Unknown
	case len(a.Uses) == 0:
		return Free
	case len(a.Blocking()) == 0:
		return FreeForTCP
	}
	return Taken
}

// Blocking returns the uses that can keep a TCP server from binding all addresses.
func (a Answer) Blocking() []Use { return TCP(a.Uses, netip.IPv6Unspecified()) }

// ListensElsewhere reports whether a TCP server listens on the port, at an address that
// loopback does not reach. The port then has an owner, not a last owner.
func (a Answer) ListensElsewhere() bool {
	return slices.ContainsFunc(a.Blocking(), func(u Use) bool { return u.Kind == Listening })
}

// Headline returns the answer without the reasons.
func (a Answer) Headline() monitor.Sentence {
	text := textUnknown
	switch a.State() {
	case Free:
		text = textFree
	case FreeForTCP:
		text = textFreeTCP
	case Taken:
		text = textTaken
		if a.ListensElsewhere() {
			text = textTakenElsewhere
		}
	}
	return monitor.Sentence{Text: text, Data: map[string]any{"Port": a.Port}}
}

// Reasons returns one sentence for each of the first uses: see [Sentences].
func (a Answer) Reasons(ephemeral monitor.Ports) []monitor.Sentence {
	return Sentences(a.Uses, ephemeral)
}

// Brief returns the strongest reason why a TCP server can't bind the port, in a few
// words; false if it can, or if that is unknown.
func (a Answer) Brief() (monitor.Sentence, bool) {
	if a.State() != Taken {
		return monitor.Sentence{}, false
	}
	return a.Blocking()[0].brief(), true
}
