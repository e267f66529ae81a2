package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/freeports"
	"porthole/monitor/launch"
	"porthole/monitor/process"
	"porthole/monitor/socket"
)

// holdInterval is the time between two checks whether a server listens on the held ports.
const holdInterval = 250 * time.Millisecond

// firstExtraFile is the descriptor of the first of exec.Cmd's ExtraFiles.
const firstExtraFile = 3

// hold finds ports and leaves a process behind that holds them.
func (f *freeSearch) hold(ctx context.Context) ([]uint16, error) {
	reservations, err := f.Reserve(ctx)
	if err != nil {
		return nil, err
	}
	defer freeports.CloseAll(reservations) // the other process has copies
	var ports []uint16
	var files []*os.File
	for _, r := range reservations {
		ports = append(ports, r.Port)
		files = append(files, r.Files()...)
	}
	if len(ports) < f.Count {
		return ports, nil // an error for the caller
	}
	h := holder{ports, f.reserve, 0, 0}
	if f.forCommand {
		h.pid = os.Getpid() // the command replaces this process
		if own, err := process.Info(h.pid); err == nil {
			h.start = own.Start
		}
	}
	if err := h.leaveBehind(ctx, files); err != nil {
		return nil, fmt.Errorf("hold the ports: %w", err)
	}
	return ports, nil
}

// holder holds ports for other processes.
type holder struct {
	ports    []uint16
	duration time.Duration
	pid      int // of the process for which it holds them; 0 for none
	start    uint64
}

// command returns the command of a process that holds the sockets in files.
func (h holder) command(ctx context.Context, files []*os.File, more ...string) (*exec.Cmd, error) {
	program, err := paths.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{"hold-ports", "--for", h.duration.String(), "--pid", strconv.Itoa(h.pid), "--start", strconv.FormatUint(h.start, 10)}, more...)
	for _, port := range h.ports {
		args = append(args, strconv.Itoa(int(port)))
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Args[0] = "porthole"
	c.ExtraFiles, c.Dir = files, "/"
	launch.Detach(c)
	return c, nil
}

// leaveBehind starts a process that holds the sockets in files. It is no child of this
// process, which may become another program that expects none.
func (h holder) leaveBehind(ctx context.Context, files []*os.File) error {
	c, err := h.command(ctx, files, "--detach", strconv.Itoa(len(files)))
	if err != nil {
		return err
	}
	return c.Run()
}

// newHoldPorts returns the hidden command of the process that free --reserve leaves
// behind. It was started with the sockets as open files and never closes them.
func newHoldPorts() *cobra.Command {
	var h holder
	detach := 0
	c := &cobra.Command{
		Use:    "hold-ports PORT...",
		Hidden: true,
		Args:   Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			paths.NameProcess()
			for _, arg := range args {
				port, err := ParsePort(arg)
				if err != nil {
					return err
				}
				h.ports = append(h.ports, port)
			}
			if detach == 0 {
				return h.hold(c.Context())
			}
			again, err := h.command(context.Background(), inheritedFiles(detach))
			if err != nil {
				return err
			}
			return again.Start() // it outlives this process
		},
	}
	c.Flags().DurationVar(&h.duration, "for", runReserveTime, "how long")
	c.Flags().IntVar(&h.pid, "pid", 0, "not longer than this process runs")
	c.Flags().Uint64Var(&h.start, "start", 0, "the start time of that process")
	c.Flags().IntVar(&detach, "detach", 0, "start a process that does it with this number of sockets, and exit")
	return c
}

// inheritedFiles returns the first n files that this process was started with, besides
// the standard streams.
func inheritedFiles(n int) (files []*os.File) {
	for i := range n {
		files = append(files, os.NewFile(uintptr(firstExtraFile+i), "reserved port"))
	}
	return files
}

// hold returns when a server listens on all ports, when the time is over, or when the
// process for which they are held has ended. This process has the sockets until it exits.
func (h holder) hold(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.duration)
	defer cancel()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	defer table.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(holdInterval):
		}
		if h.pid != 0 && !process.IsAlive(h.pid, h.start) {
			return nil
		}
		sockets, _, err := table.Poll(monitor.PollOptions{})
		if err == nil && !slices.ContainsFunc(h.ports, func(port uint16) bool {
			return !slices.ContainsFunc(sockets, func(s monitor.Socket) bool { return s.Port == port })
		}) {
			return nil
		}
	}
}

// unsupportedIsFine turns the error that this system holds no ports into none, with the
// ports that are free now.
func (f *freeSearch) unsupportedIsFine(ctx context.Context, ports []uint16, err error) ([]uint16, error) {
	if f.forCommand && errors.Is(err, errors.ErrUnsupported) {
		return f.Find(ctx)
	}
	return ports, err
}
