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

// Process windows that were closed are forgotten, and end what they began. Their
// memory is measured by make cost: Fyne's software driver keeps every widget.
func TestProcessWindowsLeaveNothingBehind(t *testing.T) {
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
		t.Errorf("%d process windows are open", len(d.processes))
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	if got := len(d.ProbeRequest().Processes); got != wanted {
		t.Errorf("%d processes are looked at; want %d, as before", got, wanted)
	}
}

// Nothing of ours may hold a closed process window: what it showed would stay for
// as long as the window of the program is open. Fyne reads when it starts how long
// its caches keep what is not shown any more, hence a process of its own.
func TestAClosedProcessWindowIsGivenBack(t *testing.T) {
	if os.Getenv("FYNE_CACHE") == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), "FYNE_CACHE=20ms")
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
		d.window.Canvas().Capture() // Fyne looks through its caches where it paints, every ten seconds
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
	t.Errorf("%d of %d closed process windows are still held", kept(), len(closed))
}
