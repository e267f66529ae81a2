package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/freeports"
	"porthole/monitor/owner"
)

// The inputs of the tools. The tag jsonschema is the description that a client sees.
type (
	listInput struct {
		Filter []string `json:"filter,omitempty" jsonschema:"ports, ranges (3000-3999), addresses, URLs or words such as node, root, a project or a label; all listeners without it"`
		All    bool     `json:"all,omitempty" jsonschema:"also listeners that cannot be reached through loopback, and those that the user has hidden"`
		Hidden bool     `json:"hidden,omitempty" jsonschema:"only the listeners that the user has hidden"`
		UDP    bool     `json:"udp,omitempty" jsonschema:"also UDP sockets"`
	}
	targetInput struct {
		Target string `json:"target" jsonschema:"a port, ADDRESS:PORT or URL, such as 3000 or http://localhost:5173, or the name of a service, project, label, process or container"`
		UDP    bool   `json:"udp,omitempty" jsonschema:"also UDP sockets"`
	}
	explainInput struct {
		Text string `json:"text" jsonschema:"an address, a port, a URL, or a line with one, such as the error of a server that could not start"`
	}
	portInput struct {
		Port uint16 `json:"port" jsonschema:"a TCP port"`
	}
	waitInput struct {
		Target  string  `json:"target" jsonschema:"a port, ADDRESS:PORT, URL, or the name of a service or project; several separated by commas"`
		Any     bool    `json:"any,omitempty" jsonschema:"return when one of them is ready"`
		HTTP    string  `json:"http,omitempty" jsonschema:"also wait until it answers a GET request for this path, such as /, with a status below 500"`
		Closed  bool    `json:"closed,omitempty" jsonschema:"wait until nothing listens there"`
		Timeout float64 `json:"timeout_seconds,omitempty" jsonschema:"at most so many seconds, 30 without it, 300 at most"`
	}
	freeInput struct {
		From    uint16 `json:"from,omitempty" jsonschema:"the first port to try, 3000 without it"`
		Count   int    `json:"count,omitempty" jsonschema:"how many ports, 1 without it"`
		Reserve int    `json:"reserve_seconds,omitempty" jsonschema:"hold the ports for so many seconds, so that no other agent gets them; at most 3600"`
	}
	historyInput struct {
		Ports []string `json:"ports,omitempty" jsonschema:"ports or ranges; all without it"`
		Since string   `json:"since,omitempty" jsonschema:"90m, 24h, 7d or a date such as 2026-11-24"`
		Match string   `json:"match,omitempty" jsonschema:"words that the events must contain; -word excludes"`
		Limit int      `json:"limit,omitempty" jsonschema:"the newest N events, 50 without it, 500 at most"`
	}
	noInput struct{}
)

// Limits of the tool history.
const (
	usualEvents = 50
	mostEvents  = 500
)

// addReadingTools adds the tools that change nothing.
func (s *mcpServer) addReadingTools() {
	readOnly := &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: new(bool)}
	tool := func(name, description string) *mcp.Tool {
		return &mcp.Tool{Name: name, Description: description, Annotations: readOnly}
	}
	mcp.AddTool(s.Server, tool("list_ports", "List listening ports with the processes, users, projects and containers that own them, and whether the network can reach them."),
		handler(func(ctx context.Context, in listInput) (json.RawMessage, error) {
			return s.answer(ctx, Options{All: in.All, UDP: in.UDP, Hidden: in.Hidden}, func(o Options) error { return s.list(ctx, in.Filter, o) })
		}))
	mcp.AddTool(s.Server, tool("who_owns", "Show everything about who listens on a port: process, command, how it was started, connections, warnings. If nothing listens, what else uses the port."),
		handler(func(ctx context.Context, in targetInput) (json.RawMessage, error) {
			return s.answer(ctx, Options{UDP: in.UDP}, func(o Options) error { return runWho(ctx, in.Target, o) })
		}))
	mcp.AddTool(s.Server, tool("explain", "Explain what an address and a port mean, who listens there and who can connect. Takes a pasted error line, too."),
		handler(func(ctx context.Context, in explainInput) (json.RawMessage, error) {
			return s.answer(ctx, Options{}, func(o Options) error { return runExplain(ctx, in.Text, o) })
		}))
	mcp.AddTool(s.Server, tool("why_not_free", "Tell whether a server can bind a TCP port at every address now, and if not, why not and who keeps it."),
		handler(s.whyNotFree))
	mcp.AddTool(s.Server, tool("wait_for_port", "Wait until servers listen on ports, and on request answer HTTP, or until nothing listens."), handler(s.waitForPort))
	mcp.AddTool(s.Server, tool("free_port", "Return TCP ports that a server can bind now, from a given one on, and why not the given one."),
		handler(func(ctx context.Context, in freeInput) (json.RawMessage, error) {
			var args []string
			if in.From != 0 {
				args = []string{strconv.Itoa(int(in.From))}
			}
			return s.answer(ctx, Options{}, func(o Options) error {
				return runFree(ctx, args, freeOptions{Options: o, Count: max(in.Count, 1), Reserve: time.Duration(in.Reserve) * time.Second})
			})
		}))
	mcp.AddTool(s.Server, tool("orphans", "List orphaned servers, whose coding agent, terminal or login has ended, with the evidence and how sure it is."),
		handler(func(ctx context.Context, _ noInput) (json.RawMessage, error) {
			return s.answer(ctx, Options{}, func(o Options) error { return runOrphans(ctx, o) })
		}))
	mcp.AddTool(s.Server, tool("history", "Show when ports opened and closed and who owned them, as far as a running Porthole recorded it, oldest first."), handler(s.history))
	mcp.AddTool(s.Server, tool("warnings", "List the listeners that deserve attention: exposed databases and development servers, replaced programs, orphans, full queues. With advice."), handler(s.warnings))
}

// listedJSON is a listener in the answer of list_ports: what a client needs for an overview,
// because each word of an answer costs an agent part of its context. who_owns has the rest.
type listedJSON struct {
	Port      uint16           `json:"port"`
	Protocol  monitor.Protocol `json:"protocol"`
	Addresses []string         `json:"addresses"` // with the device, if bound to one
	Exposure  monitor.Exposure `json:"exposure"`
	Tunnels   []monitor.Tunnel `json:"tunnels,omitempty"`
	Process   string           `json:"process"`
	PID       int              `json:"pid,omitempty"`
	More      int              `json:"more_processes,omitempty"` // with the same sockets
	User      string           `json:"user,omitempty"`
	Project   string           `json:"project,omitempty"`
	Branch    string           `json:"branch,omitempty"`   // checked out in its folder
	Worktree  string           `json:"worktree,omitempty"` // folder of the checkout, if it is linked to another one
	Label     string           `json:"label,omitempty"`    // the user's name for it
	Note      string           `json:"note,omitempty"`
	Hidden    bool             `json:"hidden,omitempty"`     // the user has hidden it
	StartedBy string           `json:"started_by,omitempty"` // a coding agent, IDE, terminal, login, supervisor or unit
	Service   string           `json:"service,omitempty"`
	Container string           `json:"container,omitempty"`
	Watched   bool             `json:"watched,omitempty"`
	Health    string           `json:"health,omitempty"`              // "unhealthy: HTTP 503" if a health check of the user's watch fails, else "healthy"
	Ambiguous bool             `json:"localhost_ambiguous,omitempty"` // 127.0.0.1 and [::1] lead to different processes
}

// list writes the listeners that args select, as an object with the field "listeners".
func (s *mcpServer) list(ctx context.Context, args []string, o Options) error {
	selected, err := parseSelection(joinLine(args))
	if err != nil {
		return err
	}
	q, err := newSelectionQuery(selected, o)
	if err != nil {
		return err
	}
	snapshot, err := s.live.current(ctx, q.ports)
	if err != nil || o.UDP { // the monitor has TCP only
		if snapshot, err = q.scan(ctx, owner.New()); err != nil {
			return err
		}
	}
	q.checks, q.ambiguous = q.askChecks(), findAmbiguous(snapshot.Listeners)
	found := slices.DeleteFunc(q.relabelled(snapshot.Listeners), func(l *monitor.Listener) bool {
		return !q.keep(l) || q.ports != nil && !q.ports.Contains(l.Port) || !q.selected.words.Empty() && !q.selected.words.Matches(l)
	})
	var listed [][]byte
	hidden := 0
	for _, l := range selected.narrow(found) {
		if q.conceals(l) {
			hidden++
			continue
		}
		one, err := s.live.encode(q, l)
		if err != nil {
			return err
		}
		listed = append(listed, one)
	}
	more := ""
	if hidden > 0 {
		more = fmt.Sprintf(`,"hidden_listeners":%d`, hidden)
	}
	// Each listener is JSON already: encoding it as a part of the answer would check it again.
	if _, err = fmt.Fprintf(o.Stdout, `{"listeners":[%s]%s}`+"\n", bytes.Join(listed, []byte(",")), more); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

func (q query) listedJSON(l *monitor.Listener) listedJSON {
	process, _ := ownerText(l)
	out := listedJSON{
		Port: l.Port, Protocol: l.Protocol, Exposure: l.Exposure, Tunnels: l.Tunnels, Process: process, More: max(len(l.Owners)-1, 0), User: monitor.Clean(l.User, 32),
		Label: l.Label, Note: l.Note, Hidden: l.Hidden, Project: monitor.Clean(l.Project, 60), Service: l.Service, Container: containerText(l), Watched: q.rules.Matches(l),
		Health: q.healthBrief(l), Ambiguous: q.ambiguous[l.ID],
	}
	if o, ok := l.Principal(); ok {
		out.Branch = monitor.Clean(o.Branch, 80)
		if o.Worktree != o.Repository {
			out.Worktree = monitor.Clean(o.Worktree, 200)
		}
		out.PID, out.StartedBy = o.PID, ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{}).StartedBy()
	}
	for _, s := range l.Sockets {
		if address := s.Endpoint(); !slices.Contains(out.Addresses, address) {
			out.Addresses = append(out.Addresses, address)
		}
	}
	return out
}

// handler adapts f to the SDK, which describes its input to the client and checks it. The answer
// is JSON as text, which every client passes on to its model. The same again as structured
// content would double what each answer costs: to encode and to decode, and in the context of
// clients that pass on both.
func handler[In, Out any](f func(context.Context, In) (Out, error)) mcp.ToolHandlerFor[In, any] {
	return func(ctx context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		answer, err := f(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		text, isText := any(answer).(json.RawMessage)
		if !isText {
			if text, err = json.Marshal(answer); err != nil {
				return nil, nil, fmt.Errorf("encode the answer: %w", err)
			}
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(bytes.TrimSpace(text))}}}, nil, nil
	}
}

// whyNotFree returns what who_owns returns, whether the port is free, and a sentence.
func (s *mcpServer) whyNotFree(ctx context.Context, in portInput) (json.RawMessage, error) {
	target := strconv.Itoa(int(in.Port))
	if in.Port == 0 {
		return nil, UsageError{"port 0 is no port to bind: the system chooses a free one"}
	}
	answer, err := s.answer(ctx, Options{}, func(o Options) error { return runWho(ctx, target, o) })
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = s.limited(ctx, func() error { return runExplain(ctx, target, Options{Stdout: &text, Stderr: &bytes.Buffer{}}) })
	if err != nil {
		return nil, err
	}
	bound := freeports.Check(in.Port)
	if bound != nil && !errors.Is(bound, freeports.ErrTaken) && !errors.Is(bound, freeports.ErrNotAllowed) {
		return nil, bound
	}
	return withFields(answer, map[string]any{"free": bound == nil, "text": strings.Join(strings.Fields(text.String()), " ")})
}

// waitForPort returns how long it waited. A timeout is an error.
func (s *mcpServer) waitForPort(ctx context.Context, in waitInput) (map[string]any, error) {
	timeout := 30 * time.Second
	switch {
	case in.Timeout < 0 || in.Timeout > maxWait.Seconds():
		return nil, UsageError{fmt.Sprintf("timeout_seconds must be between 0 and %.0f", maxWait.Seconds())}
	case in.Timeout > 0:
		timeout = time.Duration(in.Timeout * float64(time.Second))
	}
	start, state := time.Now(), "open"
	if in.Closed {
		state = "closed"
	}
	var ready, notes bytes.Buffer
	o := waitOptions{Options: Options{Stdout: &ready, Stderr: &notes}, Closed: in.Closed, Any: in.Any, HTTP: in.HTTP, Timeout: timeout}
	if err := runWait(ctx, splitTargets(in.Target), o); err != nil {
		return nil, errors.Join(err, noteError(notes.String()))
	}
	answer := map[string]any{"state": state, "waited_seconds": time.Since(start).Seconds()}
	if in.Any {
		answer["ready"] = strings.TrimSpace(ready.String())
	}
	if notes.Len() > 0 {
		answer["note"] = noteText(&notes)
	}
	return answer, nil
}

// splitTargets splits a list of targets at its commas.
func splitTargets(list string) (targets []string) {
	for t := range strings.SplitSeq(list, ",") {
		targets = append(targets, strings.TrimSpace(t))
	}
	return targets
}

// noteError returns what a command printed on stderr as an error, nil for nothing.
func noteError(text string) error {
	if text = monitor.Clean(strings.TrimSpace(text), 500); text == "" {
		return nil
	}
	return errors.New(text)
}

// history returns the newest events, oldest first.
func (s *mcpServer) history(ctx context.Context, in historyInput) (map[string]any, error) {
	if in.Limit < 0 || in.Limit > mostEvents {
		return nil, UsageError{fmt.Sprintf("limit must be between 0 and %d", mostEvents)}
	}
	if in.Limit == 0 {
		in.Limit = usualEvents
	}
	var out, notes bytes.Buffer
	o := historyOptions{Options: Options{JSON: true, Stdout: &out, Stderr: &notes}, Since: in.Since, Match: in.Match, Limit: in.Limit}
	if err := s.limited(ctx, func() error { return runHistory(ctx, in.Ports, o) }); err != nil {
		return nil, err
	}
	events := []json.RawMessage{}
	for line := range bytes.Lines(out.Bytes()) {
		events = append(events, json.RawMessage(bytes.Clone(line)))
	}
	return map[string]any{"events": events}, nil
}

// warnings returns the listeners that have a warning.
func (s *mcpServer) warnings(ctx context.Context, _ noInput) (map[string]any, error) {
	warned := []whoListenerJSON{}
	err := s.limited(ctx, func() error {
		var notes bytes.Buffer
		q, err := newQuery(nil, Options{All: true, Stdout: &notes, Stderr: &notes})
		if err != nil {
			return err
		}
		snapshot, err := q.scan(ctx, owner.New())
		if err != nil {
			return err
		}
		q.firewall = askFirewall(ctx, snapshot.Listeners)
		for _, l := range q.whoJSON(0, q.gatherDetails(nil, snapshot.Listeners, ipc.Message{})).Listeners {
			if len(l.Warnings) > 0 {
				warned = append(warned, l)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"listeners": warned}, nil
}
