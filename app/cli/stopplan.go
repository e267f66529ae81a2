package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"

	"porthole/monitor"
)

// stopPlan is one run of the stop command that has opened its processes and waits for the
// answer to its question, so that the answer applies to these processes.
type stopPlan struct {
	st      *stopping      // the run; set when it asks
	asked   chan *stopping // gets the run when it asks
	answer  chan error     // gets nil for yes, or why not
	done    chan error     // gets the result
	output  *syncBuffer
	planned int // length of the output up to the question
}

func newStopPlan() *stopPlan {
	return &stopPlan{asked: make(chan *stopping, 1), answer: make(chan error, 1), done: make(chan error, 1), output: &syncBuffer{}}
}

// run runs the stop command for a target until it is done.
func (p *stopPlan) run(ctx context.Context, target string, o stopOptions) {
	o.Stdout, o.Stderr = p.output, p.output
	o.Confirm = func(ctx context.Context, st *stopping, _ string) error {
		p.asked <- st
		select {
		case err := <-p.answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.done <- runStop(ctx, target, o)
}

// wait returns when run asks. An error means that it does not: there is nothing to stop,
// or ctx has ended.
func (p *stopPlan) wait(ctx context.Context) error {
	select {
	case err := <-p.done:
		if err == nil {
			err = errors.New(strings.TrimSpace(p.output.String()))
		}
		return err
	case <-ctx.Done():
		p.answer <- ctx.Err()
		return ctx.Err()
	case p.st = <-p.asked:
		p.planned = len(p.output.String())
		return nil
	}
}

// text returns what the stop command printed before its question.
func (p *stopPlan) text() string { return p.output.String()[:p.planned] }

// confirm answers yes and returns what the command printed since then. It is not
// interrupted.
func (p *stopPlan) confirm() (string, error) {
	p.answer <- nil
	err := <-p.done
	return strings.TrimSpace(p.output.String()[p.planned:]), err
}

// refuse answers no and returns the error of the command.
func (p *stopPlan) refuse(why error) error {
	p.answer <- why
	return <-p.done
}

// holds reports whether the plan stops o.
func (p *stopPlan) holds(o monitor.Owner) bool {
	for _, l := range p.st.listeners {
		for _, one := range p.st.chosen(l) {
			if one.Same(o) {
				return true
			}
		}
	}
	return false
}

// syncBuffer is a bytes.Buffer that may be used concurrently.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
