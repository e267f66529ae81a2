//go:build !linux

package inuse

import (
	"context"
	"errors"
	"fmt"
)

// Finder is not implemented on this system.
type Finder struct{}

// MaxPorts is the largest number of ports that Finder.Find accepts.
const MaxPorts = 1000

// Find returns an error that wraps errors.ErrUnsupported.
func (*Finder) Find(_ context.Context, ports []uint16) (map[uint16][]Use, error) {
	return nil, fmt.Errorf("find what uses port %s: %w", list(ports), errors.ErrUnsupported)
}
