//go:build cgo

package window

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/stop"
	uistop "porthole/ui/stop"
)

// This file stops processes through the manager that would start them again.

// findManagers returns the managers of the request's processes, without duplicates.
func findManagers(ctx context.Context, request uistop.Request) (all []stop.Manager) {
	for _, o := range request.Owners {
		for _, l := range request.Listeners {
			m, ok := stop.ManagerOf(ctx, o, l)
			if ok && !slices.ContainsFunc(all, func(k stop.Manager) bool { return k.Command == m.Command && k.ID == m.ID }) {
				all = append(all, m)
			}
		}
	}
	return all
}

// managerUpdates returns the managers as the dialog shows them.
func (s *stopping) managerUpdates() (all []uistop.Manager) {
	for _, m := range s.managers {
		text := managerText(m)
		if m.Resume != nil {
			text = lang.L("The container is paused; the command resumes it first.") + " " + text
		}
		all = append(all, uistop.Manager{Description: text, Command: m.Command, CanRun: m.CanRun()})
	}
	return all
}

// runManagerWhenAsked waits for the order to stop through a manager.
func (s *stopping) runManagerWhenAsked(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-s.orders:
			if o.command != "" {
				s.runManager(ctx, o.command)
				return
			}
		}
	}
}

// runManager runs the command of a manager, and reports whether the port is free
// afterwards. If that leaves the server, it reports nothing and returns true: the
// processes remain to be stopped.
func (s *stopping) runManager(ctx context.Context, command string) (left bool) {
	i := slices.IndexFunc(s.managers, func(m stop.Manager) bool { return m.Command == command && m.CanRun() })
	if i < 0 {
		return false // the dialog only offers commands that can be run as they are
	}
	for _, o := range s.request.Owners {
		s.onSignal(o, command)
	}
	var output bytes.Buffer
	if err := s.managers[i].Run(ctx, nil, &output); err != nil {
		if ctx.Err() != nil {
			return false
		}
		s.log.Warn("can't stop through the manager", "command", command, "error", err, "output", monitor.Clean(output.String(), 400))
		problem := lang.L("The command failed: {{.Reason}}", map[string]any{"Reason": monitor.Clean(cmp.Or(strings.TrimSpace(output.String()), err.Error()), 200)})
		s.report(uistop.Update{Stage: uistop.Refused, Problems: []string{problem}})
		return false
	}
	if s.managers[i].LeavesServer() {
		s.managers = nil
		return true
	}
	for end := time.Now().Add(s.gracePeriod); s.watch != nil && !s.watch.Free() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(50 * time.Millisecond)
	}
	s.ended = append(s.ended, s.waitForExit(ctx)...)
	s.managers = nil // it has been stopped
	s.reportOutcome(ctx, nil)
	return false
}

func managerText(m stop.Manager) string {
	data := map[string]any{"Name": monitor.Clean(m.ID, 80), "Policy": m.Policy}
	switch m.Kind {
	case stop.Socket:
		return lang.L("systemd listens on behalf of the socket unit {{.Name}} and starts the service at the first connection. To stop the socket unit, run:", data)
	case stop.Supervisor:
		if m.Command == "" {
			return lang.L("The process is run by {{.Name}}, which may start it again.", data)
		}
		return lang.L("The process is run by {{.Name}}, which may start it again. To stop it properly, run:", data)
	case stop.Group:
		return lang.L("The process is run by {{.Name}}, which stops its other processes when this one exits. To stop them all, run:", data)
	case stop.Watcher:
		return lang.L("The process is run by {{.Name}}, which starts it again when a file changes. To stop both, run:", data)
	case stop.Loop:
		return lang.L("The process was started by a loop in {{.Name}}, which may start it again. To stop the loop, run:", data)
	case stop.Unit:
		if m.Restarts == stop.WillRestart {
			return lang.L("The process belongs to the systemd unit {{.Name}}, which starts it again ({{.Policy}}). To stop it properly, run:", data)
		}
		return lang.L("The process belongs to the systemd unit {{.Name}}, which may restart it. To stop it properly, run:", data)
	case stop.Container:
		return lang.L("The process runs in the container {{.Name}}, which may restart it. To stop it properly, run:", data)
	}
	if m.ID == "" {
		return lang.L("The process publishes the port for a container. To stop the container, run:")
	}
	return lang.L("The process publishes the port for the container {{.Name}}. To stop the container, run:", data)
}
