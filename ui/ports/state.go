package ports

import (
	"slices"

	"porthole/ui/table"
)

// State is the part of the page's state that the next window restores.
type State struct {
	Filter    string
	Quick     string // one of quickNames
	Sort      string // column ID
	Down      bool
	Selected  string // listener ID
	Columns   table.Columns
	Group     string   // how rows are grouped: "", "process" or "project"
	Folded    []string // groups that are folded
	Explained bool     // the details pane shows the explanation
}

// State returns the state that the next window restores.
func (p *Page) State() State {
	s := State{Filter: p.entry.Text, Quick: quickNames[p.quick.chosen], Columns: p.table.Columns(), Group: p.groupedBy, Folded: p.table.Folded(), Explained: p.details.unfolded}
	s.Sort, s.Down = p.table.Sorting()
	if r, ok := p.table.Selected(); ok {
		s.Selected = r.Key()
	}
	return s
}

// Restore restores the state of an earlier window.
func (p *Page) Restore(s State) {
	p.table.SetColumns(s.Columns)
	p.group(s.Group)
	p.table.Sort(s.Sort, s.Down)
	p.unfold(s.Explained)
	p.entry.SetText(s.Filter)
	if q := slices.Index(quickNames[:], s.Quick); q >= 0 {
		p.setQuick(quickFilter(q))
	}
	if s.Selected != "" {
		p.table.Select(s.Selected)
	}
	p.table.SetFolded(s.Folded)
}
