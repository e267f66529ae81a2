package cli

import (
	"context"
	"errors"
	"io"

	"porthole/app/doctor"
)

// ErrUnhealthy means that something that Porthole needs does not work; what it is was
// printed.
var ErrUnhealthy = errors.New("something that Porthole needs does not work")

// DoctorOptions say what Doctor prints, and where.
type DoctorOptions struct {
	doctor.Options
	JSON   bool
	Stdout io.Writer
}

// Doctor prints what works here and what does not, with the fix. The error is
// ErrIll where something needed does not work.
func Doctor(ctx context.Context, o DoctorOptions) error {
	report := doctor.Examine(ctx, o.Options)
	write := report.Print
	if o.JSON {
		write = report.Encode
	}
	if err := write(o.Stdout); err != nil {
		return err
	}
	if !report.Healthy() {
		return ErrUnhealthy
	}
	return nil
}
