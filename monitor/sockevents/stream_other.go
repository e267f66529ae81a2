//go:build !linux

package sockevents

import "errors"

var errUnsupported = errors.New("this system does not report destroyed sockets")

func openStream() (stream, Availability, error) { return nil, Unsupported, errUnsupported }
