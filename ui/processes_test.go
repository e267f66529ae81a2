package ui

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
	"weak"

	"porthole/ui/process"
	"porthole/ui/uitest"
)

// Closed process windows must be forgotten and must end what they started. `make cost` measures
// their memory, because Fyne's software driver keeps every widget.
func TestClosedProcessWindowsAreForgotten(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	before, wanted := runtime.NumGoroutine(), len(d.ProbeRequest().Processes)
	for range 200 {
		d.OpenProcess(l)
		d.Tick()
		d.processes["10 7"].Fyne().Close()
	}
	if len(d.processes) != 0 {
		t.Errorf("got %d open process windows, want 0", len(d.processes))
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("got %d goroutines before and %d after, want no more", before, after)
	}
	if got := len(d.ProbeRequest().Processes); got != wanted {
		t.Errorf("got %d processes to probe, want %d as before", got, wanted)
	}
}

// Nothing of ours may hold a closed process window: its content would stay in memory as long as the
// main window is open. Fyne reads at start-up how long its caches keep unused objects, hence the
// separate process.
func TestClosedProcessWindowIsFreed(t *testing.T) {
	const own = "PORTHOLE_TEST_CLOSED_WINDOWS"
	if os.Getenv(own) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), own+"=1", "FYNE_CACHE=20ms")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	var closed []weak.Pointer[process.Window]
	for range 20 {
		d.OpenProcess(l)
		d.Tick()
		p := d.processes[process.Key(l)]
		p.Fyne().Canvas().Capture()
		closed = append(closed, weak.Make(p))
		p.Fyne().Close()
	}
	kept := func() (n int) {
		d.window.Canvas().Capture() // Fyne cleans its caches while painting, at most every ten seconds
		runtime.GC()
		for _, p := range closed {
			if p.Value() != nil {
				n++
			}
		}
		return n
	}
	for range 50 {
		if kept() == 0 {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Errorf("%d of %d closed process windows are still referenced", kept(), len(closed))
}
