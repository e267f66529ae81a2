package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"porthole/monitor"
)

// mcpInstructions tells a client how the tools belong together.
const mcpInstructions = `Porthole knows which processes listen on this machine's ports, how they were started, and why a port can't be bound.
Use list_ports for an overview, who_owns for one port, why_not_free after "address already in use", free_port before you start a server and wait_for_port after it.
To stop a server, call plan_stop, show the plan to the user, and only then call confirm_stop with its token. Passwords and tokens are masked in all answers.`

// scansAtOnce is how many tools of one client may read the machine at the same time. The
// others wait: more would only be slower, on a machine that has other work.
const scansAtOnce = 4

func newMCP(version string) *cobra.Command {
	var readOnly, install bool
	c := &cobra.Command{
		Use:   "mcp",
		Short: "Answer coding agents: a server of the Model Context Protocol on standard input and output",
		Long: `Answer coding agents: a server of the Model Context Protocol (MCP) on standard input and
output. An agent starts it and calls its tools: list_ports, who_owns, explain,
why_not_free, wait_for_port, free_port, orphans, history and warnings.

A server is stopped in two steps. plan_stop shows the processes, and returns a token;
confirm_stop takes that token and stops exactly these processes. It refuses if
anything about them has changed. Passwords and tokens are masked in all answers.`,
		Args: Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if install {
				return printMCPEntries(os.Stdout, readOnly)
			}
			return serveMCP(c.Context(), &mcp.StdioTransport{}, version, readOnly, os.Stderr)
		},
	}
	c.Flags().BoolVar(&readOnly, "read-only", false, "offer no tool that stops a process")
	c.Flags().BoolVar(&install, "install", false, "print what to add to the settings of the usual clients, and exit")
	return c
}

// serveMCP answers one client on transport until it disconnects or ctx ends.
func serveMCP(ctx context.Context, transport mcp.Transport, version string, readOnly bool, stderr io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	s := newMCPServer(ctx, version, readOnly, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	defer s.live.work.Wait()
	defer cancel()
	defer s.plans.close()
	err := s.Run(ctx, transport)
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("answer the client: %s", monitor.Clean(err.Error(), 300))
}

// mcpServer is the server with its tools. Its methods may be called concurrently.
type mcpServer struct {
	*mcp.Server
	scans chan struct{} // one token for each scan at the same time
	plans *stopPlans
	live  *liveList
}

func newMCPServer(ctx context.Context, version string, readOnly bool, log *slog.Logger) *mcpServer {
	s := &mcpServer{
		Server: mcp.NewServer(&mcp.Implementation{Name: "porthole", Title: "Porthole", Version: version},
			&mcp.ServerOptions{Instructions: mcpInstructions, Logger: log}),
		scans: make(chan struct{}, scansAtOnce),
		plans: newStopPlans(ctx),
		live:  newLiveList(ctx),
	}
	s.addReadingTools()
	if !readOnly {
		s.addStopTools()
	}
	return s
}

// limited calls f with one of the places for scans.
func (s *mcpServer) limited(ctx context.Context, f func() error) error {
	select {
	case s.scans <- struct{}{}:
		defer func() { <-s.scans }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer calls run, a command that prints one JSON object, and returns the object. What
// it prints on stderr, such as an error in the settings file, becomes the field "note".
func (s *mcpServer) answer(ctx context.Context, o Options, run func(Options) error) (json.RawMessage, error) {
	var out, notes bytes.Buffer
	o.JSON, o.Stdout, o.Stderr = true, &out, &notes
	err := s.limited(ctx, func() error { return run(o) })
	if err != nil && !errors.Is(err, ErrFree) {
		return nil, err
	}
	if notes.Len() == 0 {
		return out.Bytes(), nil
	}
	return withFields(out.Bytes(), map[string]any{"note": noteText(&notes)})
}

// withFields returns the object with more fields.
func withFields(object json.RawMessage, fields map[string]any) (json.RawMessage, error) {
	all := map[string]any{}
	if err := json.Unmarshal(object, &all); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	maps.Copy(all, fields)
	return json.Marshal(all)
}

// noteText returns what a command printed on stderr, for the client.
func noteText(notes *bytes.Buffer) string {
	return monitor.Clean(strings.TrimSpace(notes.String()), 500)
}

// maxWait is the longest time that wait_for_port waits: clients give up on a call after
// some minutes.
const maxWait = 5 * time.Minute
