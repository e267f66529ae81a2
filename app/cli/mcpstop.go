package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"porthole/monitor"
	"porthole/monitor/owner"
)

// planTime is how long a plan to stop processes can be confirmed, and maxPlans how many
// there may be: each keeps references to its processes open.
const (
	planTime = 2 * time.Minute
	maxPlans = 8
)

type (
	planInput struct {
		Target  string `json:"target" jsonschema:"the port, ADDRESS:PORT, URL or name whose processes are to be stopped"`
		Force   bool   `json:"force,omitempty" jsonschema:"force quit (SIGKILL) processes that are still running after the grace period"`
		Manager bool   `json:"manager,omitempty" jsonschema:"stop through the manager, such as systemctl stop or docker stop, where the plan names one"`
		All     bool   `json:"all,omitempty" jsonschema:"also at addresses that cannot be reached through loopback"`
	}
	confirmInput struct {
		Token string `json:"token" jsonschema:"the token of plan_stop"`
	}
)

// addStopTools adds the two tools that stop processes.
func (s *mcpServer) addStopTools() {
	mcp.AddTool(s.Server, &mcp.Tool{
		Name:        "plan_stop",
		Description: "Show what stopping a port would stop: the processes, what else closes with them, what would start them again. Stops nothing. Returns a token for confirm_stop.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: new(bool)},
	}, handler(s.planStop))
	destructive := true
	mcp.AddTool(s.Server, &mcp.Tool{
		Name:        "confirm_stop",
		Description: "Stop the processes of a plan. Ask the user first. Refuses if anything about them has changed since plan_stop.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: &destructive, OpenWorldHint: new(bool)},
	}, handler(s.confirmStop))
}

// stopPlans are the plans that can be confirmed. A plan is a run of the stop command that
// has opened its processes and waits for the answer to its question, so that the answer
// applies to these processes. It may be used concurrently.
type stopPlans struct {
	ctx context.Context // ends all plans

	mu     sync.Mutex
	open   map[string]*pendingPlan // by token
	closed bool
	ended  sync.WaitGroup
}

// pendingPlan is a plan that expires.
type pendingPlan struct {
	*stopPlan
	expiry *time.Timer
}

func newStopPlans(ctx context.Context) *stopPlans {
	return &stopPlans{ctx: ctx, open: map[string]*pendingPlan{}}
}

// errPlanExpired is the answer to a plan that was not confirmed.
var errPlanExpired = errors.New("the plan was not confirmed in time")

// close cancels all plans and waits for their end.
func (p *stopPlans) close() {
	p.mu.Lock()
	p.closed = true
	for token := range p.open {
		p.takeLocked(token).answer <- errPlanExpired
	}
	p.mu.Unlock()
	p.ended.Wait()
}

// take removes and returns the plan with that token; nil if there is none.
func (p *stopPlans) take(token string) *pendingPlan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.takeLocked(token)
}

func (p *stopPlans) takeLocked(token string) *pendingPlan {
	plan := p.open[token]
	if plan != nil {
		plan.expiry.Stop()
		delete(p.open, token)
	}
	return plan
}

// add keeps plan until it is taken or planTime has passed, and returns its token.
func (p *stopPlans) add(plan *pendingPlan) (string, error) {
	token := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", errors.New("the server ends")
	}
	if len(p.open) >= maxPlans {
		return "", fmt.Errorf("%d plans wait for confirm_stop; confirm one, or wait %v until they expire", maxPlans, planTime)
	}
	plan.expiry = time.AfterFunc(planTime, func() {
		if expired := p.take(token); expired != nil {
			expired.answer <- errPlanExpired
		}
	})
	p.open[token] = plan
	return token, nil
}

// planStop runs the stop command up to its question.
func (s *mcpServer) planStop(ctx context.Context, in planInput) (map[string]any, error) {
	plan := newStopPlan()
	o := stopOptions{Options: Options{All: in.All}, Force: in.Force, Manager: in.Manager}
	s.plans.ended.Go(func() { plan.run(s.plans.ctx, in.Target, o) })
	if err := plan.wait(ctx); err != nil {
		return nil, err
	}
	token, err := s.plans.add(&pendingPlan{stopPlan: plan})
	if err != nil {
		return nil, plan.refuse(err)
	}
	return map[string]any{"token": token, "expires_in_seconds": planTime.Seconds(), "plan": plan.text(), "processes": plan.st.identities()}, nil
}

// confirmStop answers the question of a plan, after it made sure that the same processes
// still listen there.
func (s *mcpServer) confirmStop(ctx context.Context, in confirmInput) (map[string]any, error) {
	plan := s.plans.take(in.Token)
	if plan == nil {
		return nil, UsageError{"unknown token: it was used already, or it has expired; call plan_stop again"}
	}
	if err := s.limited(ctx, func() error { return plan.st.unchanged(ctx) }); err != nil {
		return nil, plan.refuse(err)
	}
	output, err := plan.confirm() // it is not interrupted if the client leaves: it has been confirmed
	if err != nil {
		return nil, errors.Join(err, noteError(output))
	}
	return map[string]any{"result": output}, nil
}

// identity is what must not change between plan and confirmation.
type identity struct {
	PID     int    `json:"pid,omitempty"`
	Name    string `json:"name,omitempty"`
	Started string `json:"started_at,omitempty"`
	Port    uint16 `json:"port"`

	listener string
	start    uint64
}

// identities returns the processes to stop with the listeners that they hold. A listener
// whose owner is unknown has PID 0.
func (st *stopping) identities() (out []identity) {
	for _, l := range st.listeners {
		if len(l.Owners) == 0 {
			out = append(out, identity{Port: l.Port, listener: l.ID})
		}
		for _, o := range l.Owners {
			i := identity{PID: o.PID, Name: monitor.Clean(o.Name, 60), Port: l.Port, listener: l.ID, start: o.Start}
			if !o.StartedAt.IsZero() {
				i.Started = o.StartedAt.UTC().Format(time.RFC3339)
			}
			out = append(out, i)
		}
	}
	return out
}

// unchanged returns an error unless the same processes hold the same listeners as before.
func (st *stopping) unchanged(ctx context.Context) error {
	snapshot, err := st.query.scan(ctx, owner.New())
	if err != nil {
		return err
	}
	now := stopping{}
	now.listeners, _ = st.target.stoppable(snapshot, st.All)
	same := func(a, b identity) bool { return a.PID == b.PID && a.start == b.start && a.listener == b.listener }
	if !slices.EqualFunc(st.identities(), now.identities(), same) {
		return fmt.Errorf("nothing was stopped: other processes listen on %s than in the plan; call plan_stop again", st.target)
	}
	return nil
}
