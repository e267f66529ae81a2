//go:build cgo

package window

import (
	"sync"
	"testing"
	"time"
)

// fakeLoop is Fyne's loop: a queue of functions for one goroutine, and events to wait for.
type fakeLoop struct {
	queue  chan func()
	events chan struct{}
	waits  int
	idle   *idle
}

func newFakeLoop() *fakeLoop {
	l := &fakeLoop{queue: make(chan func(), 10_000), events: make(chan struct{}, 10_000)}
	l.idle = newIdle()
	l.idle.used = time.Now().Add(-idleAfter)
	l.idle.wait = func(time.Duration) { l.waits++; <-l.events }
	l.idle.post = func() { l.events <- struct{}{} }
	return l
}

func (l *fakeLoop) do(f func()) { l.idle.do(f, func(f func()) { l.queue <- f }) }

func TestRestEndsWithAnEvent(t *testing.T) {
	l := newFakeLoop()
	l.events <- struct{}{} // the user moves the pointer
	if !l.idle.rest() || l.waits != 1 {
		t.Fatalf("nobody has used the window for %v: it waited %d times, want once", idleAfter, l.waits)
	}
	if l.idle.rest() || l.waits != 1 {
		t.Error("it waits right after an event, want an active loop for animations")
	}
}

// A compositor of Wayland answers what was drawn with an event, which is not the user's.
func TestRestGoesOnAfterADraw(t *testing.T) {
	l := newFakeLoop()
	l.idle.wait = func(time.Duration) { l.waits++; l.do(func() {}); <-l.events }
	l.idle.rest()
	(<-l.queue)() // it changes something, and Fyne draws it
	l.idle.wait = func(time.Duration) { l.waits++; <-l.events }
	l.events <- struct{}{}
	l.idle.rest()
	l.events <- struct{}{}
	if !l.idle.rest() || l.waits != 3 {
		t.Errorf("after the answer to what was drawn: it waited %d times, want 3", l.waits)
	}
	if l.idle.rest() {
		t.Error("it waits after a second event, which may be the user's")
	}
}

func TestRestAfterATimeout(t *testing.T) {
	l := newFakeLoop()
	l.idle.wait = func(d time.Duration) { l.waits++; time.Sleep(d) }
	for range 2 {
		if !l.idle.rest() {
			t.Error("nothing happened, but it does not wait")
		}
	}
	if l.waits != 2 {
		t.Errorf("it waited %d times, want 2", l.waits)
	}
}

// A function that was queued before the wait must not wait for an event.
func TestRestWithAQueuedFunction(t *testing.T) {
	l := newFakeLoop()
	l.do(func() {})
	l.idle.rest()
	if l.waits != 0 {
		t.Error("it waits while a function is queued")
	}
	(<-l.queue)()
	l.events <- struct{}{}
	if l.idle.rest(); l.waits != 1 {
		t.Error("it does not wait although the queue is empty and nobody has used the window")
	}
}

// No function may stay in the queue while the loop waits: the fake loop would wait for ever.
func TestRestWakesForEachFunction(t *testing.T) {
	l := newFakeLoop()
	const callers, calls = 8, 500
	var work sync.WaitGroup
	for range callers {
		work.Go(func() {
			for range calls {
				ran := make(chan struct{})
				l.do(func() { close(ran) })
				<-ran
			}
		})
	}
	finished := make(chan struct{})
	go func() { work.Wait(); l.do(func() { close(finished) }) }()
	for limit := time.After(time.Minute); ; {
		select {
		case <-finished:
			if l.waits == 0 {
				t.Error("it never waited")
			}
			return
		case <-limit:
			t.Fatal("the functions did not run")
		case f := <-l.queue:
			f()
		default:
			l.idle.used = time.Now().Add(-idleAfter)
			l.idle.rest()
		}
	}
}
