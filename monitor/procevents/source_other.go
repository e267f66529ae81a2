//go:build !linux

package procevents

import "porthole/monitor"

// Source implements monitor.ProcessSource and reports nothing: only Linux has these
// events.
type Source struct{}

// Open returns a source without events.
func Open() *Source { return &Source{} }

// State returns Unsupported.
func (*Source) State() State { return Unsupported }

// Reason returns why there are no events.
func (*Source) Reason() string { return "this system does not report them" }

// TellsExits reports whether it is known how processes end.
func (*Source) TellsExits() bool { return false }

// Lost returns how often events were dropped.
func (*Source) Lost() (starts, exits uint64) { return 0, 0 }

// Close does nothing.
func (*Source) Close() error { return nil }

// Descriptor implements monitor.ProcessSource.
func (*Source) Descriptor() int { return -1 }

// Started implements monitor.ProcessSource.
func (*Source) Started(pids []int) []int { return pids }

// Running implements monitor.ProcessSource.
func (*Source) Running(int) bool { return false }

// Watch implements monitor.ProcessSource.
func (*Source) Watch([]monitor.Owner) {}

// Exit implements monitor.ProcessSource.
func (*Source) Exit(monitor.Owner) (monitor.Exit, monitor.Life) {
	return monitor.Exit{}, monitor.NeverKnown
}
