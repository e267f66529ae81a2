//go:build !linux

package inuse

import (
	"context"
	"errors"
	"fmt"
)

// Find is not implemented on this system: its error wraps errors.ErrUnsupported.
func Find(_ context.Context, port uint16) ([]Use, error) {
	return nil, fmt.Errorf("find what uses port %d: %w", port, errors.ErrUnsupported)
}
