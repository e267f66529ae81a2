package ports

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// busyDesk returns a window with n listeners.
func busyDesk(t testing.TB, n int) *desk { return busyDeskOf(t, n, 1000) }

// allRows is the height of a window that shows 200 rows at once.
const allRows = 8000

func busyDeskOf(t testing.TB, n int, height float32) *desk {
	d := deskWith(t, nil)
	d.Window.Resize(fyne.NewSize(1600, height))
	d.see(uitest.ManyListeners(n)...)
	return d
}

// foldedDesk returns a window with n listeners, grouped by process and folded, perProcess of them
// in each process.
func foldedDesk(t testing.TB, n, perProcess int) *desk {
	d := deskWith(t, nil)
	d.Window.Resize(fyne.NewSize(1600, 1000))
	all := uitest.ManyListeners(n)
	for i, l := range all {
		l.Owners[0].PID = 1000 + i/perProcess
	}
	d.see(all...)
	d.ports.ToggleGroup()
	d.ports.table.FoldAll(true)
	return d
}

// TestGroupingCostsLittle compares the best of several runs each, grouped and folded and not.
func TestGroupingCostsLittle(t *testing.T) {
	least := func(n int, do func(i int)) time.Duration {
		best := time.Hour
		for i := range n {
			begun := time.Now()
			do(i)
			best = min(best, time.Since(begun))
		}
		return best
	}
	plain, grouped := busyDesk(t, 10000), foldedDesk(t, 10000, 10)
	keys := [2]time.Duration{time.Hour, time.Hour}
	for i := range 20 { // in turns, so that other programs disturb both
		for k, d := range []*desk{plain, grouped} {
			keys[k] = min(keys[k], least(1, func(int) { d.ports.setFilter("project"[:1+i%7]) }))
		}
	}
	t.Logf("keystroke: %v, grouped and folded: %v", keys[0], keys[1])
	if keys[1] > 4*keys[0] {
		t.Errorf("keystroke, grouped and folded: got %v, want at most four times that of rows without groups, %v", keys[1], keys[0])
	}
	grouped.ports.setFilter("")
	updates := make([]monitor.Update, 12)
	for i := range updates {
		updates[i] = grouped.ChangeOwner(5, 50000+i)
	}
	change := least(len(updates), func(i int) { grouped.Update(updates[i]) })
	t.Logf("change of an owner, grouped and folded: %v", change)
	if change > keys[1]/20 {
		t.Errorf("change of an owner: got %v, want less than a twentieth of a keystroke, %v: all rows were grouped again", change, keys[1])
	}
}

// fyneTable returns Fyne's own table with the content of d's table.
func (d *desk) fyneTable(t testing.TB) *widget.Table {
	rows, columns := d.ports.table.Rows(), portColumns(nil, d.ports.clock)
	content := widget.NewTable(func() (int, int) { return len(rows), len(columns) },
		func() fyne.CanvasObject { return widget.NewLabel("") },
		func(id widget.TableCellID, o fyne.CanvasObject) {
			o.(*widget.Label).SetText(columns[id.Col].Cell(rows[id.Row]).Text)
		})
	for i, c := range columns {
		content.SetColumnWidth(i, c.Width)
	}
	w := d.App.NewWindow("")
	t.Cleanup(w.Close)
	w.SetContent(content)
	w.Show()
	w.Resize(fyne.NewSize(1600, allRows))
	return content
}

func BenchmarkUpdateWithOneOf200Changed(b *testing.B) {
	d := busyDeskOf(b, 200, allRows)
	full := d.fyneTable(b)
	var ours, theirs []time.Duration
	for i := 0; b.Loop(); i++ {
		u := d.ChangeOwner(5, 5000+i)
		begun := time.Now()
		d.Update(u)
		updated := time.Now()
		full.Refresh()
		ours, theirs = append(ours, updated.Sub(begun)), append(theirs, time.Since(updated))
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2])
	}
	b.ReportMetric(median(ours)/1000, "µs/update")
	b.ReportMetric(median(theirs)/1000, "µs/Table.Refresh")
	b.ReportMetric(100*median(ours)/median(theirs), "%-of-Table.Refresh")
}

func BenchmarkTenThousandRows(b *testing.B) {
	b.Run("one changed", func(b *testing.B) {
		d := busyDesk(b, 10000)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			u := d.ChangeOwner(5, 50000+i)
			b.StartTimer()
			d.Update(u)
		}
	})
	b.Run("one opened or closed", func(b *testing.B) {
		d := busyDesk(b, 10000)
		with := d.Last
		gone := monitor.Event{Kind: monitor.Closed, Listener: with.Listeners[5]}
		without := monitor.Apply(with, []monitor.Event{gone})
		for i := 0; b.Loop(); i++ {
			if i%2 == 0 {
				d.Update(monitor.Update{Snapshot: without, Events: []monitor.Event{gone}, Ready: true})
				continue
			}
			d.Update(monitor.Update{Snapshot: with, Events: []monitor.Event{{Kind: monitor.Opened, Listener: gone.Listener}}, Ready: true})
		}
	})
	b.Run("sort", func(b *testing.B) {
		d := busyDesk(b, 10000)
		for i := 0; b.Loop(); i++ {
			d.ports.table.Sort([]string{"process", "port", "project", "pid"}[i%4], i%3 == 0)
		}
	})
	b.Run("keystroke in the filter", func(b *testing.B) {
		d := busyDesk(b, 10000)
		for i := 0; b.Loop(); i++ {
			d.ports.setFilter("project-12"[:1+i%10])
		}
	})
	for name, perProcess := range map[string]int{"groups of one": 1, "groups of ten": 10, "one group": 10000} {
		b.Run("keystroke, grouped and folded, "+name, func(b *testing.B) {
			d := foldedDesk(b, 10000, perProcess)
			for i := 0; b.Loop(); i++ {
				d.ports.setFilter("project-12"[:1+i%10])
			}
		})
		b.Run("one changed, grouped and folded, "+name, func(b *testing.B) {
			d := foldedDesk(b, 10000, perProcess)
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				u := d.ChangeOwner(5, 50000+i)
				b.StartTimer()
				d.Update(u)
			}
		})
	}
	b.Run("tick", func(b *testing.B) {
		d := busyDesk(b, 10000)
		for b.Loop() {
			d.At = d.At.Add(time.Second)
			d.Tick()
		}
	})
}

// TestUpdateIsMuchFasterThanFyneTable compares the best of twenty runs each, because the machine
// does other things too.
func TestUpdateIsMuchFasterThanFyneTable(t *testing.T) {
	d := busyDeskOf(t, 200, allRows)
	full := d.fyneTable(t)
	least := func(do func(i int)) time.Duration {
		best := time.Hour
		for i := range 20 {
			begun := time.Now()
			do(i)
			best = min(best, time.Since(begun))
		}
		return best
	}
	updates := make([]monitor.Update, 20)
	for i := range updates {
		updates[i] = d.ChangeOwner(5, 5000+i)
	}
	ours, theirs := least(func(i int) { d.Update(updates[i]) }), least(func(int) { full.Refresh() })
	t.Logf("update of one of 200 rows %v, Table.Refresh %v: %.2f %%", ours, theirs, 100*float64(ours)/float64(theirs))
	if ours*100 > theirs {
		t.Errorf("update of one row: got %v, want less than a hundredth of Table.Refresh, %v", ours, theirs)
	}
}
