package stop

import (
	"slices"

	"porthole/monitor"
)

// ListenersOf returns the listeners in s that o holds: they close with it.
func ListenersOf(s monitor.Snapshot, o monitor.Owner) []*monitor.Listener {
	return listenersWhere(s, o.Same)
}

// ListenersOfDescendants returns the listeners in s that descendants of o hold
// and o does not: they may end with it.
func ListenersOfDescendants(s monitor.Snapshot, o monitor.Owner) []*monitor.Listener {
	return slices.DeleteFunc(listenersWhere(s, func(child monitor.Owner) bool { return IsDescendant(child, o) }), func(l *monitor.Listener) bool {
		return slices.ContainsFunc(l.Owners, o.Same)
	})
}

// IsDescendant reports whether child is a descendant of o.
func IsDescendant(child, o monitor.Owner) bool {
	return slices.ContainsFunc(child.Parents, func(p monitor.Parent) bool { return p.PID == o.PID && p.Start == o.Start })
}

// listenersWhere returns the listeners with an owner for which of returns true.
func listenersWhere(s monitor.Snapshot, of func(monitor.Owner) bool) (out []*monitor.Listener) {
	for _, l := range s.Listeners {
		if slices.ContainsFunc(l.Owners, of) {
			out = append(out, l)
		}
	}
	return out
}

// Master returns the one of owners that is an ancestor of all others, such as the master
// of a server with workers; false if there is none.
func Master(owners []monitor.Owner) (monitor.Owner, bool) {
	i := slices.IndexFunc(owners, func(o monitor.Owner) bool {
		return !slices.ContainsFunc(owners, func(other monitor.Owner) bool { return !other.Same(o) && !IsDescendant(other, o) })
	})
	if len(owners) < 2 || i < 0 {
		return monitor.Owner{}, false
	}
	return owners[i], true
}
