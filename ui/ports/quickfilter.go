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
	quickDevelopment
	quickHidden
	quickOrphans
	quickPublic

	quickFilters // how many there are
)

// fleeting are the filters that are shown only while they have rows.
var fleeting = []quickFilter{quickHidden, quickOrphans, quickPublic}

// quickNames are the names of the filters in State.
var quickNames = [...]string{quickAll: "", quickWatched: "watched", quickExposed: "exposed", quickMine: "mine", quickWarnings: "warnings", quickDevelopment: "development", quickHidden: "hidden", quickOrphans: "orphans", quickPublic: "public"}

// isOverview reports whether the filter leaves hidden rows out. Those about what deserves
// attention show them.
func (q quickFilter) isOverview() bool {
	return q == quickAll || q == quickMine || q == quickDevelopment
}

// matches reports whether the filter shows r, if r is not hidden. user is the user name of
// this session.
func (q quickFilter) matches(r *portRow, user string) bool {
	switch q {
	case quickWatched:
		return r.watched
	case quickExposed:
		return r.listener.Exposure.IsExposed()
	case quickPublic:
		return r.mark != closed && r.listener.Exposure == monitor.ExposurePublic
	case quickMine:
		return user != "" && r.listener.User == user
	case quickWarnings:
		return r.warned()
	case quickOrphans:
		return r.mark != closed && r.orphan.Certainty != ""
	case quickDevelopment:
		return r.development
	case quickHidden:
		return r.listener.Hidden
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
	labels := []string{lang.L("All"), lang.L("Watched"), lang.L("Exposed"), lang.L("Mine"), lang.L("Warnings"), lang.L("Development"), lang.L("Hidden"), lang.L("Orphans"), lang.L("Public")}
	tips := []string{lang.L("All ports"), lang.L("Ports that a watch covers"), lang.L("Ports that the network can reach"), lang.L("Ports of your own processes"), lang.L("Ports of processes with a warning"),
		lang.L("Servers under a home folder, in a container, or started from a terminal, an SSH login or an IDE"), lang.L("Ports that you have hidden"), lang.L("Orphaned servers: what started them, such as a terminal, a login or a coding agent, has ended"),
		lang.L("Ports that everybody on the internet can reach through a tunnel")}
	for i, label := range labels {
		s := widgets.NewSegment(label, func() {
			b.choose(quickFilter(i))
			choose(quickFilter(i))
		})
		s.Tip = tips[i]
		b.segments = append(b.segments, s)
	}
	for _, q := range fleeting {
		b.segments[q].Hide()
	}
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
	for _, q := range fleeting {
		if s := b.segments[q]; s.Visible() != (counts[q] > 0 || b.chosen == q) {
			s.Hidden = !s.Hidden
			resized = true
		}
	}
	return resized
}

// fleetingWidth returns the width of the fleeting filters that are shown.
func (b *quickBar) fleetingWidth() (width float32) {
	for _, q := range fleeting {
		if s := b.segments[q]; s.Visible() {
			width += s.MinSize().Width
		}
	}
	return width
}
