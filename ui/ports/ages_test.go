package ports

import (
	"testing"
	"time"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// The ages of a page on which nothing happens change together, not each at a second of its own.
func TestAgesChangeTogether(t *testing.T) {
	d := newDesk(t)
	var all []*monitor.Listener
	for i := range 20 {
		l := uitest.Listening(uint16(3000+i), "node", 10+i)
		l.Since = d.At.Add(-time.Duration(i) * 3 * time.Second)
		all = append(all, l)
	}
	d.see(all...)
	ages := func() (text string) {
		for _, r := range d.ports.table.Rows() {
			text += r.up + " "
		}
		return text
	}
	changes := func(seconds int) (n int) {
		for before := ages(); seconds > 0; seconds-- {
			d.At = d.At.Add(time.Second)
			d.Tick()
			if now := ages(); now != before {
				before = now
				n++
			}
		}
		return n
	}
	if n := changes(50); n < 45 {
		t.Errorf("in the first minute: the ages changed %d times in 50 s, want each second", n)
	}
	changes(60)
	if n := changes(60); n == 0 || n > 6 {
		t.Errorf("after two minutes: the ages changed %d times in a minute, want 1 to 6", n)
	}
	l := uitest.Listening(2999, "node", 99)
	l.Since = d.At
	d.see(append(all, l)...)
	if n := changes(20); n < 15 {
		t.Errorf("after a server has started: the ages changed %d times in 20 s, want each second once its mark ends", n)
	}
}
