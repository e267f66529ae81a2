package agent

import (
	"time"

	"porthole/app/desktop"
	"porthole/app/link"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// answerWait is how long an ending agent may take to finish the command in hand.
const answerWait = 200 * time.Millisecond

// Command handles what a second start or a command asks for.
func (a *Agent) Command(m link.Message) link.Message {
	answer := make(chan link.Message, 1)
	a.do(func() { answer <- a.command(m) })
	select {
	case r := <-answer:
		return r
	case <-a.ctx.Done():
	}
	select {
	case r := <-answer: // it ends because of this command
		return r
	case <-time.After(answerWait):
		return link.Message{Kind: link.HandOver} // it was ending: be the next
	}
}

func (a *Agent) command(m link.Message) link.Message {
	switch m.Kind {
	case link.Start:
		return a.started(m)
	case link.Quit:
		a.quit()
		return link.Message{Kind: link.Done}
	case link.Recall:
		return link.Message{Kind: link.Done, Rows: a.recall(m.Port)}
	}
	return link.Message{Kind: link.Refused, Problem: "the running Porthole does not know how to " + string(m.Kind)}
}

// recall returns what listens at port as the agent knows it.
func (a *Agent) recall(port uint16) (rows []*monitor.Listener) {
	for _, l := range a.update.Snapshot.Listeners {
		if l.Port == port {
			rows = append(rows, l)
		}
	}
	return rows
}

// started is a second start: it brings its session along.
func (a *Agent) started(m link.Message) link.Message {
	session := desktop.Session(m.Session).Trusted()
	switch {
	case a.opts.Session.CheckBus() != nil && session.CheckBus() == nil:
		a.log.Info("this agent has no session bus, the newcomer has: handing over")
		a.quit()
		return link.Message{Kind: link.HandOver}
	case m.Build != a.opts.Build && m.Program != "":
		a.log.Info("another build of Porthole was started: it takes over", "program", m.Program)
		a.successor = &Successor{Program: m.Program, Session: session, Hidden: m.Hidden, Port: m.Port}
		a.quit()
		return link.Message{Kind: link.Done}
	}
	if m.Hidden {
		return link.Message{Kind: link.Done}
	}
	if session.CheckDisplay() == nil {
		a.opts.Session = a.opts.Session.WithDisplay(session)
	}
	a.window.show(m.Port)
	return link.Message{Kind: link.Done}
}

// Opened takes the connection of a window process.
func (a *Agent) Opened(c *link.WindowConn) {
	a.do(func() {
		w := a.window
		w.conn, w.joined, w.page = c, true, ""
		if w.state != nil {
			c.Send(link.Message{Kind: link.Restore, State: w.state})
		}
		c.Send(link.Message{Kind: link.Told, Status: a.status()})
		if w.port != 0 || w.tab != "" {
			c.Send(link.Message{Kind: link.Point, Port: w.port, Page: w.tab})
		}
		w.port, w.tab = 0, ""
	})
}

// Closed notes that the window process has hung up.
func (a *Agent) Closed(c *link.WindowConn) {
	a.do(func() {
		if a.window.conn == c {
			a.window.hungUp()
		}
	})
}

// Said handles what the window process says.
func (a *Agent) Said(c *link.WindowConn, m link.Message) {
	if m.Kind == link.Leaving {
		a.window.left.Store(&m.State) // the hub that ends takes no functions any more
	}
	a.do(func() {
		switch m.Kind {
		case link.Watch:
			if m.Port == 0 {
				return // no port, and the file would be broken with it
			}
			a.changeWatches(func(r watch.Rules) watch.Rules { return r.With(m.Port) })
		case link.Unwatch:
			a.changeWatches(func(r watch.Rules) watch.Rules { return r.Without(m.Port) })
		case link.Watches:
			// The file may have been edited since the window last heard of it.
			a.changeWatches(func(present watch.Rules) watch.Rules { return watch.Merge(m.Base, present, m.Watches.Valid()) })
		case link.Test:
			a.test(c)
		case link.Set:
			a.set(c, m.Key, m.Value)
		case link.Look:
			if a.lookAtLogin() {
				a.tellStatus()
			}
		case link.Pause:
			a.pause(time.Duration(max(m.Seconds, 0)) * time.Second)
		case link.Resume:
			a.unpause()
		case link.Refresh:
			a.monitor.Refresh()
		case link.Seen:
			a.window.page = m.Page
			a.seen()
			a.showTray()
		case link.Unseen:
			a.window.page = ""
		case link.Stopped:
			if m.Process != nil {
				a.stopped.note(*m.Process)
			}
		case link.Leaving:
			a.window.leaving()
		case link.Welcomed:
			a.welcomed()
		case link.Quit:
			a.quit()
		}
	})
}
