package ports

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/widgets"
)

// quickFilter is a filter that is one click away. Its number is its place in the bar.
type quickFilter int

const (
	quickAll quickFilter = iota
	quickWatched
	quickExposed
	quickMine
)

// quickNames are how the filters are called in State.
var quickNames = [...]string{quickAll: "", quickWatched: "watched", quickExposed: "exposed", quickMine: "mine"}

// matches reports whether the filter shows the row; user is who looks.
func (q quickFilter) matches(r *portRow, user string) bool {
	switch q {
	case quickWatched:
		return r.watched
	case quickExposed:
		return r.listener.Exposure == monitor.ExposureNetwork
	case quickMine:
		return user != "" && r.listener.User == user
	}
	return true
}

// quickBar shows the filters side by side, each with how many rows it shows.
type quickBar struct {
	segments []*widgets.Segment
	chosen   quickFilter
	object   fyne.CanvasObject
}

func newQuickBar(choose func(quickFilter)) *quickBar {
	b := &quickBar{}
	labels := []string{lang.L("All"), lang.L("Watched"), lang.L("Exposed"), lang.L("Mine")}
	for i, label := range labels {
		s := widgets.NewSegment(label, func() {
			b.choose(quickFilter(i))
			choose(quickFilter(i))
		})
		b.segments = append(b.segments, s)
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

// count shows how many rows each filter shows, and reports whether that takes another
// room than before.
func (b *quickBar) count(counts [4]int) (resized bool) {
	for i, s := range b.segments {
		resized = s.Count(counts[i]) || resized
	}
	return resized
}
