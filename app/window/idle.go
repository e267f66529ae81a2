//go:build cgo

package window

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2/driver/desktop"
	"github.com/go-gl/glfw/v3.4/glfw"
)

// Times of a window that nobody uses.
const (
	idleAfter  = 2 * time.Second        // since the last event of the user; animations are shorter
	idleWait   = time.Second            // for an event; the longest delay of what Fyne itself queues, as for a new theme
	idlePause  = 50 * time.Millisecond  // for Fyne's loop to draw what an event has changed
	idleAnswer = 100 * time.Millisecond // within which a Wayland compositor answers what was drawn, with an event
)

// idle makes Fyne's loop wait for events while nobody uses the window. Fyne (2.8.1) asks for events
// and looks for changes 60 times a second, which is most of the CPU time of a window in which
// nothing changes.
type idle struct {
	wait func(time.Duration) // waits for events, on Fyne's goroutine (glfwWaitEventsTimeout)
	post func()              // ends wait, on any goroutine (glfwPostEmptyEvent)

	queued atomic.Int64 // functions that wait for Fyne's goroutine
	used   time.Time    // the last event that may be the user's; belongs to Fyne's goroutine
	drawn  bool         // the last wait ended without an event, and Fyne may have drawn; belongs to Fyne's goroutine

	mu      sync.Mutex // held while post is called, so that GLFW does not end meanwhile
	waiting bool
	woken   bool // by wake
}

func newIdle() *idle {
	return &idle{wait: func(d time.Duration) { glfw.WaitEventsTimeout(d.Seconds()) }, post: glfw.PostEmptyEvent, used: time.Now()}
}

// do queues f with queue, which runs it on Fyne's goroutine, and wakes Fyne's loop. It is safe for
// concurrent use.
func (i *idle) do(f func(), queue func(func())) {
	i.queued.Add(1)
	queue(func() {
		i.queued.Add(-1)
		f()
	})
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waiting && !i.woken {
		i.woken = true
		i.post()
	}
}

// rest waits for an event if nobody uses the window, and reports whether it did. Call it on Fyne's
// goroutine.
func (i *idle) rest() bool {
	if time.Since(i.used) < idleAfter {
		return false
	}
	i.mu.Lock()
	i.waiting, i.woken = true, false
	i.mu.Unlock()
	began := time.Now()
	if i.queued.Load() == 0 { // whoever queues from now on sees that the loop waits
		i.wait(idleWait)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waiting = false
	took := time.Since(began)
	event := !i.woken && i.queued.Load() == 0 && took < idleWait
	if event && (!i.drawn || took > idleAnswer) {
		i.used = time.Now()
	}
	i.drawn = !event
	return true
}

// runIdle lets Fyne's loop rest until ctx ends. GLFW has only been measured on X11 and Wayland.
func (p *program) runIdle(ctx context.Context) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return
	}
	for {
		rested := make(chan bool, 1)
		p.do(func() { rested <- !p.blinks() && p.idle.rest() })
		pause := idlePause
		select {
		case ok := <-rested:
			if !ok {
				pause = idleWait
			}
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// blinks reports whether a text cursor blinks in one of the windows.
func (p *program) blinks() bool {
	if !p.focused {
		return false
	}
	for _, w := range p.app.Driver().AllWindows() {
		if c, ok := w.Canvas().Focused().(desktop.Cursorable); ok && c.Cursor() == desktop.TextCursor {
			return true
		}
	}
	return false
}
