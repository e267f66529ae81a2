package e2e

import (
	"errors"
	"fmt"
	"image"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// Where the header of the table is under the cards, and its first columns: ★,
// then Port, then Process.
const (
	headerY  = 183
	portX    = 34 + 20
	processX = 34 + 72 + 20
	portEdge = 34 + 72
)

// opens lets do open the process of a server, and closes its window. What a busy
// machine has not done is tried again; another process's window is wrong.
func (d *desk) opens(what string, s *server, name string, do func() error) {
	d.t.Helper()
	want := fmt.Sprintf("%s %d – Porthole", name, s.pid())
	d.eventually(what, func() error {
		if err := do(); err != nil {
			return err
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
			windows, err := d.Windows(d.step())
			if err != nil {
				return err
			}
			i := slices.IndexFunc(windows, func(w desktop.Window) bool { return strings.HasSuffix(w.Title, " – Porthole") })
			if i < 0 {
				continue
			}
			if windows[i].Title != want {
				d.t.Fatalf("%s: %q opened; want %q", what, windows[i].Title, want)
			}
			d.do("close the process window", windows[i].Close())
			d.noWindow(want)
			return nil
		}
		return errors.New("no process window opened")
	})
}

func TestTheMouseSortsAndResizesAndTheKeysFilter(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	beta := d.serve(d.program("beta"), "/", "127.0.0.1:20001")
	alpha := d.serve(d.program("alpha"), "/", "127.0.0.1:20002")
	gamma := d.serve(d.program("gamma"), "/", "127.0.0.1:20003")
	agent := d.start()
	d.menuHas(d.item(agent), "○ 62893 free")
	window := d.window("Porthole")
	first := func() error { return window.Key("Home", "Return") }

	d.do("filter", window.Type("20001-20003"))
	d.do("leave the filter", window.Key("Down"))
	d.steady(window)
	d.do("sort by process", window.Click(processX, headerY))
	d.opens("by process", alpha, "alpha", first)
	d.do("the other way", window.Click(processX, headerY))
	d.opens("by process, downwards", gamma, "gamma", first)

	// The column Port is made wider: what was Process is Port now.
	before := d.steady(window)
	d.do("drag an edge", window.Drag(image.Pt(portEdge, headerY), image.Pt(portEdge+60, headerY)))
	d.eventually("the column is wider", func() error { return differs(d, window, before) })
	d.do("sort", window.Click(processX, headerY))
	d.opens("by port", beta, "beta", first)

	// It is remembered for the next window, with the filter.
	d.do("close the window", window.Close())
	d.noWindow("Porthole")
	d.wantStatus(d.start(), 0)
	window = d.window("Porthole")
	d.steady(window)
	d.do("sort", window.Click(processX, headerY))
	d.opens("by port, downwards: the column is wide still", gamma, "gamma", first)
	d.do("filter by a word as well", window.Key("ctrl+f", "End"))
	d.do("filter by a word as well", window.Type(" alpha"))
	d.do("leave the filter", window.Key("Down"))
	d.opens("the one", alpha, "alpha", first)
}

// storm opens listeners above and below a port, one in a tenth of a second, and
// closes the oldest one. It returns when that is under way.
func storm(t *testing.T, port int) (stop func()) {
	done, ended, begun := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var open []net.Listener
		for n := 0; ; n++ {
			select {
			case <-done:
				for _, l := range open {
					_ = l.Close()
				}
				return
			case <-time.After(100 * time.Millisecond):
			}
			at := port + 1 + 2*(n*7%50)
			if n%2 == 0 {
				at -= 102
			}
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", at)); err == nil {
				open = append(open, l)
			}
			if len(open) > 8 {
				_ = open[0].Close()
				open = open[1:]
			}
			if n == 16 {
				close(begun)
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(done); <-ended })
	t.Cleanup(stop)
	<-begun
	return stop
}

func TestADoubleClickOpensTheRowUnderThePointerWhileTheTableChanges(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "notifications: false\nwatches:\n  - ports: 20500\n")
	var addresses []string
	for port := 20420; port <= 20580; port += 2 { // enough rows to scroll, above and below
		if port != 20500 {
			addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	d.serve(d.program("crowd"), "/", strings.Join(addresses, ","))
	calm := d.serve(d.program("calm"), "/", "127.0.0.1:20500")
	item := d.item(d.start())
	d.menuHas(item, "● 20500 calm")
	window := d.window("Porthole")
	before := d.steady(window)
	d.do("select the row", item.Click(d.step(), "● 20500 calm"))
	d.eventually("the row is shown", func() error { return differs(d, window, before) })
	d.steady(window)
	at := d.selectedRow(window)
	d.do("go to the row", window.Click(at.X, at.Y)) // what is under the pointer stays there
	stop := storm(t, 20500)
	for range 5 {
		d.opens("a double click on the row of 20500", calm, "calm", func() error { return window.DoubleClick(at.X, at.Y) })
	}
	d.shot("storm")
	stop()
}

// What a menu says of a row that has closed meanwhile is of that row, and does
// nothing to what has its place or its port by then.
func TestAMenuOfARowThatClosesIsNotAnothersMenu(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	d.write(d.settings(), "notifications: false\nwatches:\n  - ports: 20001\n")
	d.serve(d.program("later"), "/", "127.0.0.1:20002") // has the row's place then
	going := d.serve(d.program("going"), "/", "127.0.0.1:20001")
	item := d.item(d.start())
	d.menuHas(item, "● 20001 going")
	window := d.window("Porthole")
	d.do("filter", window.Type("20001-20002"))
	d.do("go to the row", window.Key("Down", "Home"))
	d.steady(window)
	at := d.selectedRow(window)
	before := d.steady(window)
	d.do("right click the row", window.RightClick(at.X, at.Y))
	d.eventually("the menu opens", func() error { return differs(d, window, before) })
	open := d.steady(window)
	going.close()
	d.menuHas(item, "○ 20001 free")
	d.eventually("the row closes", func() error { return differs(d, window, open) })
	d.steady(window) // and goes
	d.do("choose Open process", window.Key("Down", "Return"))
	process := d.window(fmt.Sprintf("going %d – Porthole", going.pid()))
	d.steady(process)
	d.do("picture it", process.Screenshot(picture(t, "closed-process")))
}
