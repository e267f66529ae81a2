package monitor

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// countedTable is a Table that can also say that all is still.
type countedTable struct {
	*fakeTable
	still atomic.Bool
}

func (c *countedTable) Still() bool { return c.still.Load() }

// whileStill runs test with a Monitor whose table has been still for a while, and
// has been looked at just now.
func whileStill(t *testing.T, test func(*scene, *countedTable)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		table := &countedTable{fakeTable: &fakeTable{Sleeper: NewSleeper()}}
		table.still.Store(true)
		s := startWith(t, table, table.fakeTable, 1)
		s.want("")
		for looks := table.count(); table.count() == looks; {
			s.after(10 * time.Millisecond)
		}
		test(s, table)
		s.stop()
	})
}

func TestAStillTableIsReadTwiceASecond(t *testing.T) {
	whileStill(t, func(s *scene, table *countedTable) {
		looks := table.count()
		s.after(10 * time.Second)
		if n := table.count() - looks; n != 20 {
			t.Errorf("%d looks in 10 s; want two a second", n)
		}
		table.still.Store(false)
		looks = table.count()
		s.after(10 * time.Second)
		if n := table.count() - looks; n != 40 {
			t.Errorf("%d looks in 10 s of a table that is not still; want 40", n)
		}
	})
}

func TestWhatOpensInAStillTableIsSeenWithinHalfASecond(t *testing.T) {
	whileStill(t, func(s *scene, table *countedTable) {
		table.listen(1, 2)
		s.after(maxSkip - 20*time.Millisecond)
		s.quiet()
		s.after(20*time.Millisecond + ownerWait)
		s.want("opened tcp-3002-2")
		// A change lets looks come fast, and each is one at the table.
		looks := table.count()
		s.after(time.Second)
		if n := table.count() - looks; n != 10 {
			t.Errorf("%d looks in the second after a change; want 10", n)
		}
	})
}

func TestAWishIsALookAlsoAtAStillTable(t *testing.T) {
	whileStill(t, func(s *scene, table *countedTable) {
		table.listen(1, 2)
		s.monitor.Refresh()
		s.after(ownerWait)
		s.want("opened tcp-3002-2")
	})
}
