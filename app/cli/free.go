package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"porthole/monitor/inuse"
)

// defaultFreeFrom is where the search for a free port begins without an argument.
const defaultFreeFrom = 3000

func newFree() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "free [FROM]",
		Short: fmt.Sprintf("Print the next TCP port that a server can bind, from FROM (default %d) on", defaultFreeFrom),
		Args:  Args(cobra.MaximumNArgs(1)),
		RunE:  func(c *cobra.Command, args []string) error { return runFree(c.Context(), args, o) },
	}
	o.addJSON(c, "print one JSON object")
	return c
}

// freeJSON is the output of free --json.
type freeJSON struct {
	Port uint16 `json:"port"`
}

// runFree prints the first port from the one in args on that a server can bind at
// every address.
func runFree(ctx context.Context, args []string, o Options) error {
	from := uint16(defaultFreeFrom)
	if len(args) > 0 {
		var err error
		if from, err = ParsePort(args[0]); err != nil {
			return err
		}
	}
	for port := int(from); port <= 65535 && ctx.Err() == nil; port++ {
		free, err := isFree(ctx, uint16(port))
		switch {
		case err != nil:
			return err
		case free && o.JSON:
			return writeLine(o.Stdout, freeJSON{uint16(port)})
		case free:
			_, err := fmt.Fprintln(o.Stdout, port)
			return err
		}
	}
	return fmt.Errorf("no free port from %d on", from)
}

// isFree reports whether a server can bind port at every address: nothing uses it, and
// the system lets this user bind it.
func isFree(ctx context.Context, port uint16) (bool, error) {
	a := inuse.Ask(ctx, port)
	if a.Err != nil && !errors.Is(a.Err, errors.ErrUnsupported) {
		return false, fmt.Errorf("find a free port: %w", a.Err)
	}
	if len(a.Blocking()) > 0 {
		return false, nil
	}
	l, err := net.Listen("tcp", ":"+strconv.Itoa(int(port)))
	if err != nil {
		return false, nil // taken meanwhile, or privileged
	}
	return true, l.Close()
}
