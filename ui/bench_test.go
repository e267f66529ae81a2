package ui

import (
	"image/color"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/uitest"
)

func BenchmarkUpdateWithNothingChanged(b *testing.B) {
	d := busyDesk(b)
	u := monitor.Update{Snapshot: d.Last, Ready: true}
	b.ReportAllocs()
	for b.Loop() {
		d.Update(u)
	}
}

// An update that changes nothing must do no work, and one that changes a row must not touch the
// others: this keeps an open window cheap.
func TestUpdateRepaintsOnlyChangedRows(t *testing.T) {
	d := busyDesk(t)
	d.ports.Table().Select(d.Last.Listeners[20].ID)
	u := monitor.Update{Snapshot: d.Last, Ready: true}
	if allocations := testing.AllocsPerRun(10, func() { d.Update(u) }); allocations != 0 {
		t.Errorf("update without changes: got %v allocations, want 0", allocations)
	}
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"an update with nothing changed", func() { d.Update(u) }, 0},
		{"another owner", func() { d.Update(d.ChangeOwner(5, 5000)) }, 3}, // its name, its PID, and "changed" in place of its age
		{"another owner of a row that is not seen", func() { d.Update(d.ChangeOwner(150, 5001)) }, 0},
		{"a second", func() { d.At = d.At.Add(time.Second); d.Tick() }, 0},
		{"the end of its mark", func() { d.At = d.At.Add(3 * time.Second); d.Tick() }, 1}, // "changed" disappears
	} {
		texts := uitest.Texts(d.ports.Table())
		for _, text := range texts {
			text.Color = color.Transparent
		}
		step.do()
		painted := 0
		for _, text := range texts {
			if text.Color != color.Transparent {
				painted++
			}
		}
		if painted != step.want || len(texts) < 100 {
			t.Errorf("%s: painted %d of %d texts, want %d", step.what, painted, len(texts), step.want)
		}
	}
}

// busyDesk returns a window with 200 listeners.
func busyDesk(t testing.TB) *desk {
	d := deskWith(t, nil)
	d.window.Resize(fyne.NewSize(1600, 1000))
	d.see(uitest.ManyListeners(200)...)
	return d
}
