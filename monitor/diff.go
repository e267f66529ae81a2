package monitor

import (
	"cmp"
	"slices"
)

// Diff tells what changed from old to new. It is pure, and safe to call from
// anywhere. The changes carry new's time and come in this order: closed,
// updates that take a row out of another (see Apply), all else by port.
//
// What makes a change is the identity of sockets, not the id of a row: rows
// that merge or split are neither opened nor closed. A row that gained sockets
// from another row says so by a Before with that row's id.
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
		c := Event{At: new.TakenAt, Kind: kind, Listener: l, Before: before}
		if before != nil && before.ID != l.ID {
			moved = append(moved, c)
			return
		}
		rest = append(rest, c)
	}
	lives := make(map[string]bool, len(old.Listeners)) // ids of old rows with a socket left
	for _, l := range new.Listeners {
		if before := byID[l.ID]; before == l {
			lives[l.ID] = true
			continue
		}
		rows := previousListeners(l, was)
		for _, row := range rows {
			lives[row.ID] = true
		}
		before := byID[l.ID]
		if !slices.Contains(rows, before) {
			before = nil // the same id again without a socket in common: another listener
		}
		for _, row := range rows {
			if row != before {
				add(Updated, l, row)
			}
		}
		switch {
		case len(rows) == 0 && l.Since.IsZero():
			add(Discovered, l, nil)
		case len(rows) == 0:
			add(Opened, l, nil)
		case before != nil:
			for _, kind := range changedKinds(before, l) {
				add(kind, l, before)
			}
		}
	}
	var closed []Event
	for _, l := range old.Listeners {
		if !lives[l.ID] {
			closed = append(closed, Event{At: new.TakenAt, Kind: Closed, Listener: l})
		}
	}
	return slices.Concat(closed, moved, rest)
}

// previousListeners returns the rows that l's sockets were in.
func previousListeners(l *Listener, was map[SocketID]*Listener) []*Listener {
	var rows []*Listener
	for _, s := range l.Sockets {
		if row := was[s.ID]; row != nil && !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// changedKinds names what differs between two states of one row.
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

// ownerChanged reports whether the principal owner no longer holds the
// listener while another does. That a worker comes or goes beside it, or that
// an owner is seen for the first time, is nothing to tell anyone; neither is the
// end of one of two that were there together, as docker-proxy's for IPv4.
func ownerChanged(before, after *Listener) bool {
	if len(before.Owners) == 0 || len(after.Owners) == 0 {
		return false
	}
	principal := before.Owners[0]
	return !slices.ContainsFunc(after.Owners, func(o Owner) bool {
		return o.Same(principal) || (o.siblingOf(principal) && slices.ContainsFunc(before.Owners, o.Same))
	})
}

// siblingOf reports whether o and p do one task: the same program, started by the
// same process for the same user.
func (o Owner) siblingOf(p Owner) bool {
	return o.canHaveSiblings() && o.Program == p.Program && o.ParentPID == p.ParentPID && o.User == p.User
}

// canHaveSiblings reports whether o can have any: orphans of the first process have not.
func (o Owner) canHaveSiblings() bool { return o.Program != "" && o.ParentPID > 1 }

// Same reports whether o and p are one process: same PID, same start.
func (o Owner) Same(p Owner) bool { return o.PID == p.PID && o.Start == p.Start }

func (o Owner) equal(p Owner) bool {
	return o.Same(p) && o.Name == p.Name && slices.Equal(o.Command, p.Command) && o.Program == p.Program &&
		o.Deleted == p.Deleted && o.Folder == p.Folder && o.User == p.User && o.ParentPID == p.ParentPID && o.Project == p.Project && o.Branch == p.Branch
}

func (o CgroupInfo) equal(p CgroupInfo) bool {
	same := o.Inferred == p.Inferred || (o.Inferred != nil && p.Inferred != nil && o.Inferred.equal(*p.Inferred))
	same = same && (o.Container == p.Container || (o.Container != nil && p.Container != nil && *o.Container == *p.Container))
	return same && o.Unit == p.Unit && o.ContainerID == p.ContainerID
}

func (h OwnerUnknown) equal(k OwnerUnknown) bool {
	return h.Reason == k.Reason && h.CgroupInfo.equal(k.CgroupInfo)
}

func (l *Listener) equal(k *Listener) bool {
	return l.ID == k.ID && l.Exposure == k.Exposure && l.User == k.User && l.OwnerUnknown == k.OwnerUnknown &&
		l.CgroupInfo.equal(k.CgroupInfo) &&
		l.Service == k.Service && l.ServiceBy == k.ServiceBy && l.Project == k.Project && l.Since.Equal(k.Since) &&
		slices.EqualFunc(l.Owners, k.Owners, Owner.equal) &&
		slices.EqualFunc(l.Sockets, k.Sockets, func(a, b HeldSocket) bool {
			return a.ID == b.ID && a.Address == b.Address && slices.Equal(a.Owners, b.Owners)
		})
}

// Apply returns the snapshot that changes make of s, so that who holds a
// snapshot needs only the changes to hold the next: Apply(old, Diff(old, new))
// has new's listeners.
func Apply(s Snapshot, changes []Event) Snapshot {
	if len(changes) == 0 {
		return s
	}
	rows := make(map[string]*Listener, len(s.Listeners)+len(changes))
	for _, l := range s.Listeners {
		rows[l.ID] = l
	}
	for _, c := range changes {
		s.TakenAt = c.At
		if c.Kind == Closed || c.Kind == Unlisted {
			delete(rows, c.Listener.ID)
			continue
		}
		if c.Before != nil && c.Before.ID != c.Listener.ID {
			// A change before this one may have given the id to another row.
			if before := rows[c.Before.ID]; before != nil && before.equal(c.Before) {
				delete(rows, c.Before.ID)
			}
		}
		rows[c.Listener.ID] = c.Listener
	}
	s.Listeners = make([]*Listener, 0, len(rows))
	for _, l := range rows {
		s.Listeners = append(s.Listeners, l)
	}
	slices.SortFunc(s.Listeners, compareListeners)
	return s
}

func compareListeners(a, b *Listener) int {
	return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol),
		a.Addresses[0].Compare(b.Addresses[0]), cmp.Compare(a.ID, b.ID))
}
