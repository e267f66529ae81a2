package lookup

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func never(string) time.Duration { return 0 }

// A look-up that hangs costs its own answer. Others of its group are answered as long as
// not too many hang, other groups always; nothing is left when it ends.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		var calls, notes atomic.Int32
		table := New(func(key string) string {
			calls.Add(1)
			if strings.HasPrefix(key, "dead") {
				<-block
			}
			return "answer " + key
		}, func(key string) string { return key[:4] }, never)
		stop := table.OnAnswer(func() { notes.Add(1) })
		for i := range 100 {
			if a := table.Get(fmt.Sprint("dead ", i)); a.Known || !a.Busy || a.Late {
				t.Fatalf("the first call returned %+v, want busy", a)
			}
		}
		table.Get("live")
		synctest.Wait()
		if a := table.Get("live"); a.Value != "answer live" || a.Busy {
			t.Errorf("another group: got %+v while one hangs", a)
		}
		if n := calls.Load(); n != maxRunningPerGroup+1 {
			t.Errorf("%d look-ups were started, want %d that hang and one other", n, maxRunningPerGroup)
		}
		before := notes.Load()
		time.Sleep(Deadline)
		synctest.Wait()
		if a := table.Get("dead 99"); !a.Late || notes.Load() == before {
			t.Errorf("after the deadline: got %+v and %d notes, want a late answer and a note", a, notes.Load()-before)
		}
		stop()
		close(block)
		synctest.Wait() // every goroutine ends, or synctest.Test reports it
		if a := table.Get("dead 99"); a.Value != "answer dead 99" || a.Busy || a.Late {
			t.Errorf("after the hang: got %+v", a)
		}
	})
}

// With many groups that hang, the number of goroutines is limited too.
func TestTotalLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		running, most := make(chan int, 1), 0
		running <- 0
		table := New(func(key string) string {
			n := <-running + 1
			most = max(most, n)
			running <- n
			<-block
			running <- <-running - 1
			return key
		}, func(key string) string { return key }, never)
		for i := range 100 {
			table.Get(fmt.Sprint(i))
		}
		synctest.Wait()
		close(block)
		synctest.Wait()
		if most != maxRunning {
			t.Errorf("%d look-ups ran at one time, want %d", most, maxRunning)
		}
		for i := range 100 {
			if a := table.Get(fmt.Sprint(i)); !a.Known {
				t.Fatalf("%d was never looked up", i)
			}
		}
	})
}

// An old value is used while it is looked up again.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		value, block := "old", make(chan struct{})
		close(block)
		table := New(func(string) string { <-block; return value }, nil, func(string) time.Duration { return time.Minute })
		table.Get("key")
		synctest.Wait()
		time.Sleep(time.Minute - time.Millisecond)
		if a := table.Get("key"); a.Value != "old" || a.Busy {
			t.Errorf("before it expires: %+v", a)
		}
		value, block = "new", make(chan struct{})
		time.Sleep(time.Second)
		if a := table.Get("key"); a.Value != "old" || !a.Busy {
			t.Errorf("while it is renewed: %+v", a)
		}
		close(block)
		synctest.Wait()
		if a := table.Get("key"); a.Value != "new" || a.Busy {
			t.Errorf("renewed: %+v", a)
		}
	})
}

// Answers are forgotten when there are too many, but none that is awaited.
func TestBoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := New(func(key string) string { return key }, nil, never)
		for i := range 3 * maxEntries {
			table.Get(fmt.Sprint(i))
			synctest.Wait()
		}
		if n := len(table.entries); n > maxEntries {
			t.Errorf("%d answers are kept, want at most %d", n, maxEntries)
		}
	})
}
