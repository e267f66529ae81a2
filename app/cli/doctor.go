package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"porthole/app/doctor"
)

// ErrUnhealthy means that something Porthole requires does not work. The details
// have been printed.
var ErrUnhealthy = errors.New("something that Porthole requires does not work")

// doctorOptions are the flags of the doctor command.
type doctorOptions struct {
	doctor.Options
	JSON   bool
	Stdout io.Writer
}

func newDoctor(d doctor.Options) *cobra.Command {
	o := doctorOptions{Options: d, Stdout: os.Stdout}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what works on this machine and suggest fixes (exit status 1 on an error)",
		Args:  Args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return runDoctor(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.JSON, "json", false, "print one JSON object")
	return c
}

// runDoctor prints the report. It returns ErrUnhealthy if the report contains an
// error.
func runDoctor(ctx context.Context, o doctorOptions) error {
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
