//go:build !linux

package sockevents

func openStream() (stream, Availability, error) { return nil, Unsupported, errUnsupported }
