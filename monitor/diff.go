package monitor

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Diff returns the events that lead from old to new. It is pure and safe for
// concurrent use. The events have the time of new and come in this order: closed
// listeners, updates that take sockets out of another listener (see Apply), all
// others by port.
//
// Events depend on the identity of sockets, not on the ID of a listener:
// listeners that merge or split are neither opened nor closed. If a listener
// gained sockets from another one, the event's Before has the other one's ID.
func Diff(old, new Snapshot) []Event {
	was := make(map[SocketID]*Listener, len(old.Listeners))
	byID := make(map[string]*Listener, len(old.Listeners))
	for _, l := range old.Listeners {
		byID[l.ID] = l
		for _, s := range l.Sockets {
			was[s.ID] = l
		}
	}
	var moved, rest []Event
	add := func(kind Kind, l, before *Listener) {
		e := Event{At: new.TakenAt, Kind: kind, Listener: l, Before: before}
		if before != nil && before.ID != l.ID {
			moved = append(moved, e)
			return
		}
		rest = append(rest, e)
	}
	alive := make(map[string]bool, len(old.Listeners)) // IDs of old listeners with at least one remaining socket
	for _, l := range new.Listeners {
		if before := byID[l.ID]; before == l {
			alive[l.ID] = true
			continue
		}
		previous := previousListeners(l, was)
		for _, p := range previous {
			alive[p.ID] = true
		}
		before := byID[l.ID]
		if !slices.Contains(previous, before) {
			before = nil // the same ID without a common socket: a different listener
		}
		for _, p := range previous {
			if p != before {
				add(Updated, l, p)
			}
		}
		switch {
		case len(previous) == 0 && l.Since.IsZero():
			add(Discovered, l, nil)
		case len(previous) == 0:
			add(Opened, l, nil)
		case before != nil:
			for _, kind := range changedKinds(before, l) {
				add(kind, l, before)
			}
		}
	}
	var closed []Event
	for _, l := range old.Listeners {
		if !alive[l.ID] {
			closed = append(closed, Event{At: new.TakenAt, Kind: Closed, Listener: l})
		}
	}
	return slices.Concat(closed, moved, rest)
}

// Coalesce returns the events that lead from old to new in place of events, which
// lead there through other snapshots. It is Diff, except that listeners that the
// events report as unlisted were not closed.
func Coalesce(old, new Snapshot, events []Event) []Event {
	unlisted := map[SocketID]bool{}
	for _, e := range events {
		if e.Kind == Unlisted || e.Kind == Closed || e.Kind == Opened || e.Kind == Discovered {
			for _, s := range e.Listener.Sockets {
				unlisted[s.ID] = e.Kind == Unlisted
			}
		}
	}
	diff := Diff(old, new)
	for i, e := range diff {
		if e.Kind == Closed && slices.ContainsFunc(e.Listener.Sockets, func(s HeldSocket) bool { return unlisted[s.ID] }) {
			diff[i].Kind = Unlisted
		}
	}
	return diff
}

// previousListeners returns the listeners that the sockets of l were in.
func previousListeners(l *Listener, was map[SocketID]*Listener) []*Listener {
	var previous []*Listener
	for _, s := range l.Sockets {
		if p := was[s.ID]; p != nil && !slices.Contains(previous, p) {
			previous = append(previous, p)
		}
	}
	return previous
}

// changedKinds returns the kinds of events between two states of one listener.
func changedKinds(before, after *Listener) []Kind {
	var kinds []Kind
	if ownerChanged(before, after) {
		kinds = append(kinds, OwnerChanged)
	}
	if before.Exposure != after.Exposure {
		kinds = append(kinds, ExposureChanged)
	}
	if len(kinds) == 0 && !before.equal(after) {
		kinds = append(kinds, Updated)
	}
	return kinds
}

// ownerChanged reports whether the principal owner no longer holds the listener
// while another process does. Not an owner change: a worker that starts or exits
// beside it, an owner that becomes visible for the first time, or the exit of one
// of two siblings that held it together, such as the docker-proxy for IPv4.
func ownerChanged(before, after *Listener) bool {
	if len(before.Owners) == 0 || len(after.Owners) == 0 {
		return false
	}
	principal := before.Owners[0]
	return !slices.ContainsFunc(after.Owners, func(o Owner) bool {
		return o.Same(principal) || (o.siblingOf(principal) && slices.ContainsFunc(before.Owners, o.Same))
	})
}

// siblingOf reports whether o and p are workers of one server.
func (o Owner) siblingOf(p Owner) bool { return o.canHaveSiblings() && o.worker() == p.worker() }

// worker identifies a server to its workers: they have the same parent, program,
// command line and folder.
type worker struct {
	program, command, folder, user string
	parent                         int
}

// worker returns the server that o may be a worker of. A shell starts many servers
// with one program, such as node or python3: these differ in their command lines or
// folders. The two proxies of a container differ in their command lines, and a title
// that a worker gave itself may have its number ("uWSGI worker 2").
func (o Owner) worker() worker {
	w := worker{program: o.Program, folder: o.Folder, user: o.UserID, parent: o.starter()}
	if target := o.proxyTarget(); target != "" {
		w.command = target
	} else if isTitle(o.Command) {
		w.command = strings.Map(dropDigit, o.Command[0])
	} else {
		w.command = strings.Join(o.Command, "\x00")
	}
	return w
}

// isTitle reports whether command is a title that a program wrote over its command
// line: a single string of several words.
func isTitle(command []string) bool { return len(command) == 1 && strings.Contains(command[0], " ") }

func dropDigit(r rune) rune {
	if unicode.IsDigit(r) {
		return -1
	}
	return r
}

// canHaveSiblings is false for children of the init process, which adopts
// orphans.
func (o Owner) canHaveSiblings() bool { return o.Program != "" && o.starter() > 1 }

// starter returns the PID of the parent that o was first seen with. When a server ends,
// its workers may get the parent that the server had: that does not make them its
// siblings.
func (o Owner) starter() int {
	if len(o.Parents) > 0 {
		return o.Parents[0].PID
	}
	return o.ParentPID
}

// Same reports whether o and p are the same process: same PID, same start.
func (o Owner) Same(p Owner) bool { return o.PID == p.PID && o.Start == p.Start }

func (o Owner) equal(p Owner) bool {
	return o.Same(p) && o.Name == p.Name && slices.Equal(o.Command, p.Command) && o.Program == p.Program &&
		o.Deleted == p.Deleted && o.Folder == p.Folder && o.User == p.User && o.UserID == p.UserID && o.Inside == p.Inside && o.ProjectUnknown == p.ProjectUnknown && o.UserUnknown == p.UserUnknown && o.ParentPID == p.ParentPID && o.Project == p.Project && o.Branch == p.Branch && o.Repository == p.Repository && o.Worktree == p.Worktree && o.ProjectFolder == p.ProjectFolder && o.Unit == p.Unit && o.Framework == p.Framework && o.SSHServer == p.SSHServer && o.Agent == p.Agent && o.Session == p.Session && o.Output == p.Output
}

func (c CgroupInfo) equal(d CgroupInfo) bool {
	same := c.Inferred == d.Inferred || (c.Inferred != nil && d.Inferred != nil && c.Inferred.equal(*d.Inferred))
	same = same && (c.Container == d.Container || (c.Container != nil && d.Container != nil && *c.Container == *d.Container))
	return same && c.Unit == d.Unit && c.UnitUser == d.UnitUser && c.Activates == d.Activates && c.PerConnection == d.PerConnection && c.ContainerID == d.ContainerID
}

func (u OwnerUnknown) equal(v OwnerUnknown) bool {
	return u.Reason == v.Reason && u.CgroupInfo.equal(v.CgroupInfo)
}

func (l *Listener) equal(k *Listener) bool {
	return l.ID == k.ID && l.Exposure == k.Exposure && l.User == k.User && l.UserUnknown == k.UserUnknown && l.OwnerUnknown == k.OwnerUnknown &&
		l.CgroupInfo.equal(k.CgroupInfo) &&
		l.Service == k.Service && l.ServiceBy == k.ServiceBy && l.Framework == k.Framework && l.Project == k.Project && l.Since.Equal(k.Since) && l.Label == k.Label && l.Note == k.Note && l.Hidden == k.Hidden &&
		slices.Equal(l.Tunnels, k.Tunnels) && slices.EqualFunc(l.Owners, k.Owners, Owner.equal) &&
		slices.EqualFunc(l.Sockets, k.Sockets, func(a, b HeldSocket) bool {
			return a.ID == b.ID && a.Address == b.Address && a.Device == b.Device && slices.Equal(a.Owners, b.Owners)
		})
}

// Apply applies events to s, so that a reader with a snapshot needs only the
// events to get the next one: Apply(old, Diff(old, new)) has the listeners of
// new.
func Apply(s Snapshot, events []Event) Snapshot {
	if len(events) == 0 {
		return s
	}
	listeners := make(map[string]*Listener, len(s.Listeners)+len(events))
	for _, l := range s.Listeners {
		listeners[l.ID] = l
	}
	for _, e := range events {
		if e.Kind.AboutUse() {
			continue
		}
		s.TakenAt = e.At
		if e.Kind == Closed || e.Kind == Unlisted {
			delete(listeners, e.Listener.ID)
			continue
		}
		if e.Before != nil && e.Before.ID != e.Listener.ID {
			// An earlier event may have given the ID to another listener.
			if before := listeners[e.Before.ID]; before != nil && before.equal(e.Before) {
				delete(listeners, e.Before.ID)
			}
		}
		listeners[e.Listener.ID] = e.Listener
	}
	s.Listeners = make([]*Listener, 0, len(listeners))
	for _, l := range listeners {
		s.Listeners = append(s.Listeners, l)
	}
	slices.SortFunc(s.Listeners, compareListeners)
	return s
}

func compareListeners(a, b *Listener) int {
	return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol),
		a.Addresses[0].Compare(b.Addresses[0]), cmp.Compare(a.ID, b.ID))
}
