package ports

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/widgets"
)

// quickFilter is a filter in the segmented bar. Its value is its position in the bar.
type quickFilter int

const (
	quickAll quickFilter = iota
	quickWatched
	quickExposed
	quickMine
	quickWarnings
	quickOrphans // shown only while there are some

	quickFilters // how many there are
)

// quickNames are the names of the filters in State.
var quickNames = [...]string{quickAll: "", quickWatched: "watched", quickExposed: "exposed", quickMine: "mine", quickWarnings: "warnings", quickOrphans: "orphans"}

// matches reports whether the filter shows r. user is the user name of this session.
func (q quickFilter) matches(r *portRow, user string) bool {
	switch q {
	case quickWatched:
		return r.watched
	case quickExposed:
		return r.listener.Exposure == monitor.ExposureNetwork
	case quickMine:
		return user != "" && r.listener.User == user
	case quickWarnings:
		return r.warned()
	case quickOrphans:
		return r.mark != closed && r.orphan.Certainty != ""
	}
	return true
}

// quickBar shows the quick filters side by side, each with its number of rows.
type quickBar struct {
	segments []*widgets.Segment
	chosen   quickFilter
	object   fyne.CanvasObject
}

func newQuickBar(choose func(quickFilter)) *quickBar {
	b := &quickBar{}
	labels := []string{lang.L("All"), lang.L("Watched"), lang.L("Exposed"), lang.L("Mine"), lang.L("Warnings"), lang.L("Orphans")}
	tips := []string{lang.L("All ports"), lang.L("Ports that a watch covers"), lang.L("Ports that the network can reach"), lang.L("Ports of your own processes"), lang.L("Ports of processes with a warning"), lang.L("Servers that were left behind by a terminal, a login or a coding agent")}
	for i, label := range labels {
		s := widgets.NewSegment(label, func() {
			b.choose(quickFilter(i))
			choose(quickFilter(i))
		})
		s.Tip = tips[i]
		b.segments = append(b.segments, s)
	}
	b.segments[quickOrphans].Hide()
	b.object = widgets.NewSegmentBar(b.segments...)
	b.choose(quickAll)
	return b
}

func (b *quickBar) choose(q quickFilter) {
	b.chosen = q
	for i, s := range b.segments {
		s.Choose(quickFilter(i) == q)
	}
}

// count shows the number of rows of each filter. It reports whether the size of the bar changed.
func (b *quickBar) count(counts [quickFilters]int) (resized bool) {
	for i, s := range b.segments {
		resized = s.Count(counts[i]) || resized
	}
	orphans := b.segments[quickOrphans]
	if shown := counts[quickOrphans] > 0 || b.chosen == quickOrphans; shown != orphans.Visible() {
		orphans.Hidden, resized = !shown, true
	}
	return resized
}
