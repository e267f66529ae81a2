//go:build cgo

package window

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/stop"
	uistop "porthole/ui/stop"
	"porthole/ui/words"
)

// This file says whether a port is free after a stop.

// reportOutcome reports the state of all processes; running are those that have not
// exited.
func (s *stopping) reportOutcome(ctx context.Context, running []*stop.Process) {
	u := uistop.Update{Stage: uistop.Done, Targets: slices.Clone(s.ended), Finishing: slices.Clone(s.finishing), Problems: slices.Clone(s.problems)}
	for _, p := range running {
		u.StillRunning = append(u.StillRunning, p.Owner())
	}
	switch {
	case len(running) > 0:
		u.Stage = uistop.StillRunning
	case len(s.problems) > 0:
		u.Stage, u.Managers = uistop.Refused, s.managerUpdates()
	case len(s.kept) > 0:
		u.StillOpen = s.stillOpen(ctx)
		if ctx.Err() != nil {
			return // the dialog was closed
		}
	default:
		u.InUse, u.Managers = s.inUse(ctx)
		if ctx.Err() != nil {
			return // the dialog was closed
		}
		if len(u.InUse) == 0 {
			u.Again = s.againText()
		}
	}
	s.report(u)
}

// waitForExit waits at most for the exit period and returns the owners that have exited.
// The kernel closes the sockets of a process before it has exited, and a container engine
// that listens itself does not exit.
func (s *stopping) waitForExit(ctx context.Context) (ended []monitor.Owner) {
	for end := time.Now().Add(s.exitPeriod); ; time.Sleep(20 * time.Millisecond) {
		ended = slices.DeleteFunc(slices.Clone(s.request.Owners), func(o monitor.Owner) bool { return process.IsAlive(o.PID, o.Start) })
		if len(ended) == len(s.request.Owners) || ctx.Err() != nil || time.Now().After(end) {
			return ended
		}
	}
}

// stillOpen returns what listens on after some of several owners were stopped, one
// sentence for each port.
func (s *stopping) stillOpen(ctx context.Context) (sentences []string) {
	now, err := stop.Holders(ctx, s.request.Listeners, s.log)
	if err != nil {
		s.log.Warn("can't find what uses the port now", "error", err)
	}
	for _, l := range now {
		var names []string
		for _, o := range l.Owners {
			names = append(names, processName(o))
		}
		if len(names) > maxNamed {
			names = append(names[:maxNamed], "…")
		}
		sentences = append(sentences, lang.L("{{.Port}} is still open: {{.Names}}.", map[string]any{"Port": words.Port(l.Protocol, l.Port), "Names": strings.Join(names, ", ")}))
	}
	return sentences
}

// maxNamed is how many processes a sentence names.
const maxNamed = 5

// inUse returns what holds the port after the stop, one sentence each, and what starts
// that.
func (s *stopping) inUse(ctx context.Context) (sentences []string, managers []uistop.Manager) {
	if s.watch == nil {
		return nil, nil
	}
	watch := stop.WatchTime
	if slices.ContainsFunc(s.managers, func(m stop.Manager) bool { return m.Restarts != stop.WontRestart }) {
		watch = stop.WatchTimeManaged
	}
	now, err := s.watch.Taken(ctx, watch)
	if err != nil {
		s.log.Warn("can't find what uses the port now", "error", err)
	}
	for _, l := range now {
		port := words.Port(l.Protocol, l.Port)
		o, known := l.Principal()
		if !known {
			sentences = append(sentences, lang.L("{{.Port}} is in use again; its owner is unknown.", map[string]any{"Port": port}))
			continue
		}
		data := map[string]any{"Name": processName(o), "Port": port}
		again := slices.ContainsFunc(s.ended, func(e monitor.Owner) bool { return e.ProgramName() == o.ProgramName() })
		starter, started := stop.Starter(o)
		data["Starter"] = processName(starter)
		switch {
		case slices.ContainsFunc(s.request.Owners, o.Same): // its manager ended only the shell around it
			sentences = append(sentences, lang.L("{{.Name}} still listens on {{.Port}}.", data))
		case again && started:
			sentences = append(sentences, lang.L("{{.Name}} took {{.Port}} again, started by {{.Starter}}.", data))
		case again:
			sentences = append(sentences, lang.L("{{.Name}} took {{.Port}} again.", data))
		case started:
			sentences = append(sentences, lang.L("{{.Name}} uses {{.Port}} now, started by {{.Starter}}.", data))
		default:
			sentences = append(sentences, lang.L("{{.Name}} uses {{.Port}} now.", data))
		}
		if m, ok := stop.ManagerOf(ctx, o, l); ok {
			managers = append(managers, uistop.Manager{Description: managerText(m), Command: m.Command})
		}
	}
	return sentences, managers
}

// processName returns a process with its PID: "node (47733)".
func processName(o monitor.Owner) string {
	name := monitor.Clean(o.Name, 60)
	if name == "" {
		name = lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
	}
	return fmt.Sprintf("%s (%d)", name, o.PID)
}

// failureText returns a sentence with the reason why a process was not stopped.
func (s *stopping) failureText(err error) string {
	var f stop.Failure
	var refused stop.RefusedError
	var forbidden stop.PermissionError
	errors.As(err, &f)
	name := monitor.Clean(f.Owner.Name, 60)
	if name == "" {
		name = lang.L("process {{.PID}}", map[string]any{"PID": f.Owner.PID})
	}
	data := map[string]any{"Name": fmt.Sprintf("%s (%d)", name, f.Owner.PID), "User": monitor.Clean(f.Owner.User, 40)}
	switch {
	case errors.As(err, &refused):
		data["Reason"] = lang.L(string(refused.Reason))
		return lang.L("Can't stop {{.Name}}: it {{.Reason}}.", data)
	case errors.As(err, &forbidden) && f.Owner.User != "":
		return lang.L("Can't stop {{.Name}}: only {{.User}} or an administrator can do that.", data)
	case errors.As(err, &forbidden):
		return lang.L("Can't stop {{.Name}}: only its user or an administrator can do that.", data)
	case errors.Is(err, os.ErrProcessDone):
		return lang.L("{{.Name}} has already exited.", data)
	}
	s.log.Warn("can't stop a process", "pid", f.Owner.PID, "error", err)
	return lang.L("Can't stop {{.Name}}. See the log for details.", data)
}
