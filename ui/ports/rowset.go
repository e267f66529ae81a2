package ports

import (
	"cmp"
	"iter"
	"slices"

	"porthole/monitor"
)

// rowSet is the rows of the page by listener ID, sorted by port. The order makes the rows of a
// port quick to find, and rows that are already sorted are quick to sort.
type rowSet struct {
	byID   map[string]*portRow
	sorted []*portRow // by port, then by ID
}

func newRowSet() rowSet { return rowSet{byID: map[string]*portRow{}} }

// get returns the row of a listener; nil if there is none.
func (s *rowSet) get(id string) *portRow { return s.byID[id] }

// len returns the number of rows.
func (s *rowSet) len() int { return len(s.sorted) }

// put adds a row, or replaces the one with the same key.
func (s *rowSet) put(r *portRow) {
	i, found := s.find(r)
	switch {
	case found:
		s.sorted[i] = r
	default:
		s.sorted = slices.Insert(s.sorted, i, r)
	}
	s.byID[r.Key()] = r
}

// remove removes the row of a listener, if there is one.
func (s *rowSet) remove(id string) {
	r := s.byID[id]
	if r == nil {
		return
	}
	i, _ := s.find(r)
	s.sorted = slices.Delete(s.sorted, i, i+1)
	delete(s.byID, id)
}

// removeAll removes the rows for which gone returns true. It costs the same for one as for all.
func (s *rowSet) removeAll(gone func(*portRow) bool) {
	s.sorted = slices.DeleteFunc(s.sorted, func(r *portRow) bool {
		if !gone(r) {
			return false
		}
		delete(s.byID, r.Key())
		return true
	})
}

// replace replaces each row by what renew returns. A row and its replacement have the same key.
func (s *rowSet) replace(renew func(*portRow) *portRow) {
	for i, r := range s.sorted {
		if renewed := renew(r); renewed != r {
			s.sorted[i] = renewed
			s.byID[renewed.Key()] = renewed
		}
	}
}

// all returns the rows by port. The set must not change meanwhile.
func (s *rowSet) all() iter.Seq[*portRow] { return slices.Values(s.sorted) }

// listening returns the rows that have not closed, by port.
func (s *rowSet) listening() iter.Seq[*portRow] { return open(s.sorted) }

// on returns the rows of a port that have not closed.
func (s *rowSet) on(port uint16) iter.Seq[*portRow] {
	first, _ := slices.BinarySearchFunc(s.sorted, port, func(r *portRow, port uint16) int { return cmp.Compare(r.listener.Port, port) })
	last := first
	for last < len(s.sorted) && s.sorted[last].listener.Port == port {
		last++
	}
	return open(s.sorted[first:last])
}

// has reports whether a row of port has not closed.
func (s *rowSet) has(port uint16) bool {
	for range s.on(port) {
		return true
	}
	return false
}

// find returns the place of a row with the key of r.
func (s *rowSet) find(r *portRow) (int, bool) {
	return slices.BinarySearchFunc(s.sorted, r, func(a, b *portRow) int { return cmp.Or(byPort(a, b), cmp.Compare(a.Key(), b.Key())) })
}

// open returns the rows that have not closed.
func open(rows []*portRow) iter.Seq[*portRow] {
	return func(yield func(*portRow) bool) {
		for _, r := range rows {
			if r.mark != closed && !yield(r) {
				return
			}
		}
	}
}

// listeners returns the listeners of rows.
func listeners(rows iter.Seq[*portRow]) (all []*monitor.Listener) {
	for r := range rows {
		all = append(all, r.listener)
	}
	return all
}
