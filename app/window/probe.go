//go:build cgo

package window

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/connection/source"
	"porthole/monitor/firewall"
	"porthole/monitor/inuse"
	"porthole/monitor/process"
	"porthole/ui/probe"
)

// prober reads the connections and process states that the window shows, on its own goroutine.
type prober struct {
	request   func() (probe.Request, bool) // returns what the window shows; false if it has closed
	show      func(probe.Result)
	tick      func()               // called every second
	count     func(ports []uint16) // asks the agent for the counts of connections to ports
	source    *source.Source       // nil if connections cannot be read
	countedAt time.Time            // last count of connections
	uses      inuse.Finder
	vacant    []uint16                    // the ports of the last look-up of uses
	vacantAt  time.Time                   // its time
	failing   bool                        // the last probe failed; used to log it only once
	firewall  *firewall.Asker             // nil before the first question
	filtered  map[string]monitor.Firewall // the last answers of the firewall; never changed
	askedAt   time.Time                   // their time
	log       *slog.Logger
}

// run probes immediately, at its pace, and after each nudge, until ctx ends.
func (w *prober) run(ctx context.Context, nudge <-chan struct{}) {
	var err error
	if w.source, err = source.Open(); err != nil {
		w.log.Warn("connections can't be read on this system", "error", err)
	} else {
		defer func() { _ = w.source.Close() }() // read-only
	}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	var pace pace
	for next := time.Duration(0); ; {
		if next <= 0 {
			request, ok := w.request()
			if !ok {
				return
			}
			result := w.probe(ctx, request, time.Now())
			w.show(result)
			next = pace.next(request, result)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			next -= time.Second
			w.tick()
		case <-nudge:
			pace.disturb()
			next = 0
		}
	}
}

// probe reads what request asks for. Parts that were not requested or cannot be read are nil.
func (w *prober) probe(ctx context.Context, request probe.Request, now time.Time) probe.Result {
	result := probe.Result{At: now, Processes: make(map[probe.ProcessID]monitor.ProcessState, len(request.Processes))}
	for _, o := range request.Processes {
		result.Processes[probe.IDOf(o)] = process.State(o)
	}
	result.Vacant = w.findUses(ctx, request.Vacant, now)
	result.Firewall = w.askFirewall(ctx, request.Firewall, now)
	if w.source == nil {
		return result
	}
	var err error
	if len(request.Connections) > 0 {
		w.count(tcpPorts(request.Connections))
		result.States, err = w.source.Read(ctx, request.Connections)
		w.logError(ctx, err)
	}
	if err == nil && len(request.Count) > 0 && now.Sub(w.countedAt) >= probeInterval-time.Second/2 {
		w.countedAt = now
		result.Counts, err = w.source.Count(ctx, request.Count)
		w.logError(ctx, err)
	}
	return result
}

// tcpPorts returns the ports of the TCP listeners.
func tcpPorts(listeners []*monitor.Listener) (ports []uint16) {
	for _, l := range listeners {
		if l.Protocol == monitor.TCP && !slices.Contains(ports, l.Port) {
			ports = append(ports, l.Port)
		}
	}
	return ports
}

// usesInterval is the time between look-ups of the same vacant ports: each reads the
// kernel's whole table of connections.
const usesInterval = 10 * time.Second

// findUses looks up what uses ports. It returns nil if there are none, or if it has just looked
// them up.
func (w *prober) findUses(ctx context.Context, ports []uint16, now time.Time) map[uint16]inuse.Answer {
	if slices.Equal(ports, w.vacant) && now.Sub(w.vacantAt) < usesInterval-time.Second/2 {
		return nil
	}
	w.vacant, w.vacantAt = ports, now
	if len(ports) == 0 {
		return nil
	}
	answers := w.uses.Ask(ctx, ports)
	if err := answers[ports[0]].Err; err != nil && !errors.Is(err, errors.ErrUnsupported) {
		w.logError(ctx, err)
	}
	return answers
}

// Times of questions about the firewall.
const (
	firewallInterval = 10 * time.Second       // between two about the same listeners
	firewallWait     = 200 * time.Millisecond // for the answer; one that is late is shown by a later probe
)

// askFirewall returns what the firewall does with connections to listeners.
func (w *prober) askFirewall(ctx context.Context, listeners []*monitor.Listener, now time.Time) map[string]monitor.Firewall {
	if len(listeners) == 0 {
		return nil
	}
	answered := func(l *monitor.Listener) bool {
		f, ok := w.filtered[l.ID]
		return ok && f.Why.Text != monitor.FirewallBusy
	}
	isNew := slices.ContainsFunc(listeners, func(l *monitor.Listener) bool { return !answered(l) })
	if !isNew && now.Sub(w.askedAt) < firewallInterval-time.Second/2 {
		return w.filtered
	}
	if w.firewall == nil {
		w.firewall = firewall.New()
	}
	ctx, cancel := context.WithTimeout(ctx, firewallWait)
	defer cancel()
	w.filtered, w.askedAt = w.firewall.Ask(ctx, listeners), now
	return w.filtered
}

// logError logs err unless the previous probe failed too.
func (w *prober) logError(ctx context.Context, err error) {
	if err != nil && !w.failing && ctx.Err() == nil {
		w.log.Warn("can't read connections", "error", err)
	}
	w.failing = err != nil
}

// runProber runs a prober for the window until ctx ends.
func (p *program) runProber(ctx context.Context, nudge <-chan struct{}) {
	w := &prober{log: p.log, show: func(r probe.Result) { p.do(func() { p.window.ShowProbe(r) }) }, tick: func() { p.do(func() { p.sharpen(); p.window.Tick() }) }}
	w.count = func(ports []uint16) { p.do(func() { p.send(ipc.Message{Kind: ipc.CountConnections, Ports: ports}) }) }
	w.request = func() (probe.Request, bool) {
		answer := make(chan probe.Request, 1)
		p.do(func() { answer <- p.window.ProbeRequest() })
		select {
		case request := <-answer:
			return request, true
		case <-ctx.Done():
			return probe.Request{}, false
		}
	}
	w.run(ctx, nudge)
}
