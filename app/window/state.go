//go:build cgo

package window

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"porthole/app/ipc"
	"porthole/ui"
)

// stateInterval is the time between two checks whether the state for the next window has
// changed.
const stateInterval = 5 * time.Second

// keepState sends the state for the next window when it has changed, until ctx ends. A window whose
// X server ends, as at a logout, sends nothing any more: the X library ends the process.
func (p *program) keepState(ctx context.Context) {
	ticker := time.NewTicker(stateInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.do(p.sendChangedState)
		}
	}
}

// sendChangedState sends the state if it has changed since the last call.
func (p *program) sendChangedState() {
	if p.stateSent || p.loopEnded || !p.hasStatus {
		return
	}
	state := p.window.State()
	compared := state
	compared.Closed = time.Time{}
	if reflect.DeepEqual(compared, p.keptState) {
		return
	}
	p.keptState = compared
	p.sendWithState(ipc.KeepState, state)
}

// sendState sends the state for the next window to the agent, once. A window that has
// not received the state of the last one sends none, so that it is kept.
func (p *program) sendState() {
	if p.stateSent {
		return
	}
	p.stateSent = true
	last := p.window.State()
	last.Position = p.position()
	p.sendWithState(ipc.Closing, last)
}

// sendWithState sends a message of that kind with a state for the next window.
func (p *program) sendWithState(kind ipc.Kind, state ui.State) {
	m := ipc.Message{Kind: kind}
	if b, err := json.Marshal(state); err == nil && p.hasStatus {
		m.State = b
	}
	p.send(m)
}
