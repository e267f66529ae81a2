package agent

import (
	"time"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// replyTimeout limits how long Command waits for an answer while the agent ends.
const replyTimeout = 200 * time.Millisecond

// Command implements ipc.Handler.
func (a *Agent) Command(m ipc.Message) ipc.Message {
	answer := make(chan ipc.Message, 1)
	a.do(func() { answer <- a.handleCommand(m) })
	select {
	case r := <-answer:
		return a.withTotals(r)
	case <-a.ctx.Done():
	}
	select {
	case r := <-answer: // the agent ends because of this command
		return r
	case <-time.After(replyTimeout):
		return ipc.Message{Kind: ipc.HandOver} // the agent was ending already
	}
}

func (a *Agent) handleCommand(m ipc.Message) ipc.Message {
	switch m.Kind {
	case ipc.Start:
		return a.handleStart(m)
	case ipc.Quit:
		a.quit()
		return ipc.Message{Kind: ipc.Done}
	case ipc.Pause:
		a.pause(time.Duration(max(m.Seconds, 0)) * time.Second)
		return ipc.Message{Kind: ipc.Done, Status: a.status()}
	case ipc.Resume:
		a.resume()
		return ipc.Message{Kind: ipc.Done, Status: a.status()}
	case ipc.Lookup:
		if m.Port == 0 {
			return ipc.Message{Kind: ipc.Done, Status: a.status()}
		}
		return ipc.Message{Kind: ipc.Done, Listeners: a.listenersOn(m.Port), Status: &ipc.Status{Checks: a.checks}}
	case ipc.OwnConnection: // of the command line
		a.tracker.Own(m.Client, m.Server)
		return ipc.Message{Kind: ipc.Done}
	case ipc.Stopping: // of the command line
		if m.Process != nil {
			a.userStops.add(*m.Process)
		}
		return ipc.Message{Kind: ipc.Done}
	}
	return ipc.Message{Kind: ipc.Refused, Problem: "the running Porthole does not support the command " + string(m.Kind)}
}

// listenersOn returns the listeners on port, with their owners as first seen.
func (a *Agent) listenersOn(port uint16) (listeners []*monitor.Listener) {
	for _, l := range a.update.Snapshot.Listeners {
		if l.Port == port {
			listeners = append(listeners, l)
		}
	}
	return listeners
}

// handleStart handles a second start of Porthole, which sends its own session.
func (a *Agent) handleStart(m ipc.Message) ipc.Message {
	session := desktop.Session(m.Session).Sanitized()
	switch {
	case a.opts.Session.CheckBus() != nil && session.CheckBus() == nil:
		a.log.Info("handing over to a new agent: this one has no session bus, the new one has")
		a.quit()
		return ipc.Message{Kind: ipc.HandOver}
	case m.Build != a.opts.Build && m.Program != "":
		a.log.Info("handing over to another build", "program", m.Program)
		a.successor = &Successor{Program: m.Program, Session: session, Hidden: m.Hidden, Port: m.Port}
		a.quit()
		return ipc.Message{Kind: ipc.Done}
	}
	if m.Hidden {
		return ipc.Message{Kind: ipc.Done}
	}
	if session.CheckDisplay() == nil {
		a.opts.Session = a.opts.Session.WithDisplay(session)
	}
	a.window.activate(m.Port, m.Token)
	return ipc.Message{Kind: ipc.Done}
}

// WindowConnected implements ipc.Handler.
func (a *Agent) WindowConnected(c *ipc.WindowConn) {
	a.do(func() {
		w := a.window
		w.conn, w.wasConnected, w.viewedPage = c, true, ""
		a.askShortcut()
		if w.state != nil {
			c.Send(ipc.Message{Kind: ipc.Restore, State: w.state})
		}
		c.Send(ipc.Message{Kind: ipc.StatusUpdate, Status: a.status()})
		if w.pendingPort != 0 || w.pendingPage != "" {
			c.Send(ipc.Message{Kind: ipc.ShowPort, Port: w.pendingPort, Page: w.pendingPage})
		}
		w.pendingPort, w.pendingPage = 0, ""
	})
}

// WindowDisconnected implements ipc.Handler.
func (a *Agent) WindowDisconnected(c *ipc.WindowConn) {
	a.do(func() {
		if a.window.conn == c {
			a.window.disconnected()
		}
	})
}

// WindowMessage implements ipc.Handler.
func (a *Agent) WindowMessage(c *ipc.WindowConn, m ipc.Message) {
	if m.Kind == ipc.Closing {
		a.window.closingState.Store(&m.State) // do drops functions while the agent ends
	}
	a.do(func() {
		switch m.Kind {
		case ipc.Watch:
			if m.Port == 0 {
				return // not a port; it would make the settings file invalid
			}
			a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(m.Port) })
		case ipc.Unwatch:
			a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithoutPort(m.Port) })
		case ipc.SetWatches:
			// The file may have been edited since the window received Base.
			a.changeWatches(func(current watch.Rules) watch.Rules {
				return watch.Merge(m.Base, current, a.withKnownHooks(m.Watches.Valid()))
			})
		case ipc.TestNotification:
			a.sendTestNotification(c)
		case ipc.Set:
			a.changeSetting(c, m.Key, m.Value)
		case ipc.ChangeLabels:
			a.changeLabels(c, m.Added, m.Removed)
		case ipc.ReloadSettings:
			if a.checkAutostart() {
				a.sendStatus()
			}
		case ipc.Pause:
			a.pause(time.Duration(max(m.Seconds, 0)) * time.Second)
		case ipc.Resume:
			a.resume()
		case ipc.Refresh:
			a.monitor.Refresh()
		case ipc.Focused:
			a.window.viewedPage = m.Page
			a.clearViewed()
			a.showTray()
		case ipc.Unfocused:
			a.window.viewedPage = ""
		case ipc.Stopping:
			if m.Process != nil {
				a.userStops.add(*m.Process)
			}
		case ipc.OwnConnection:
			a.tracker.Own(m.Client, m.Server)
		case ipc.CountConnections:
			a.sendTotals(c, m.Ports)
		case ipc.Closing:
			a.window.handleClosing()
		case ipc.KeepState:
			a.window.keep(m.State)
		case ipc.DismissWelcome:
			a.dismissWelcome()
		case ipc.AcceptExposed:
			a.acceptExposed(m.Key)
		case ipc.DismissProblems:
			if a.problems.set(droppedEdits, "") {
				a.sendStatus()
			}
		case ipc.Quit:
			a.quit()
		}
	})
}
