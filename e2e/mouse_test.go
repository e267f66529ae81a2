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

// opens calls do, which opens the process window of a server, and closes the window.
// It calls do again if no window opens, which happens on a busy machine, and fails if
// the window of another process opens.
func (d *desk) opens(what string, s *server, name string, do func() error) {
	d.t.Helper()
	want := processTitle(name, s.pid())
	d.eventually(what, func() error {
		if err := do(); err != nil {
			return err
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
			windows, err := d.Windows(d.step())
			if err != nil {
				return err
			}
			i := slices.IndexFunc(windows, func(w desktop.Window) bool { return strings.HasSuffix(w.Title, processTitleEnd) })
			if i < 0 {
				continue
			}
			if windows[i].Title != want {
				d.t.Fatalf("%s: got the window %q; want %q", what, windows[i].Title, want)
			}
			d.do("close the process window", windows[i].Close())
			d.noWindow(want)
			return nil
		}
		return errors.New("no process window opened")
	})
}

func TestSortingResizingAndFiltering(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	beta := d.serve(d.program("beta"), "/", "127.0.0.1:20001")
	alpha := d.serve(d.program("alpha"), "/", "127.0.0.1:20002")
	gamma := d.serve(d.program("gamma"), "/", "127.0.0.1:20003")
	agent := d.start()
	d.menuHas(d.item(agent), menuFree("62893"))
	window := d.mainWindow()
	first := func() error { return window.Key("Home", "Return") }

	d.do("filter", window.Type("20001-20003"))
	d.do("leave the filter", window.Key("Down"))
	d.steady(window)
	d.do("sort by process", window.Click(processX, headerY))
	d.opens("by process", alpha, "alpha", first)
	d.do("sort the other way", window.Click(processX, headerY))
	d.opens("by process, descending", gamma, "gamma", first)

	// The column Port becomes wider, so that it covers the place of Process.
	before := d.steady(window)
	d.do("drag an edge", window.Drag(image.Pt(portEdge, headerY), image.Pt(portEdge+60, headerY)))
	d.waitChanged("the column becomes wider", window, before)
	d.do("sort", window.Click(processX, headerY))
	d.opens("by port", beta, "beta", first)

	// The next window has the same columns and the same filter.
	d.closeMainWindow()
	d.wantStatus(d.start(), 0)
	window = d.mainWindow()
	d.steady(window)
	d.do("sort", window.Click(processX, headerY))
	d.opens("by port, descending: the column is still wide", gamma, "gamma", first)
	d.do("go to the filter's end", window.Key("ctrl+f", "End"))
	d.do("filter by a word as well", window.Type(" alpha"))
	d.do("leave the filter", window.Key("Down"))
	d.opens("the only row", alpha, "alpha", first)
}

// churn opens a listener every 100 ms, in turn above and below a port, and closes the
// oldest one. It returns once it has opened and closed listeners.
func churn(t *testing.T, port int) (stop func()) {
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

func TestDoubleClickWhileRowsChange(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("notifications: false\nwatches:\n  - ports: 20500\n")
	var addresses []string
	for port := 20420; port <= 20580; port += 2 { // enough rows to scroll, above and below
		if port != 20500 {
			addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
		}
	}
	d.serve(d.program("crowd"), "/", strings.Join(addresses, ","))
	steady := d.serve(d.program("steady"), "/", "127.0.0.1:20500")
	item := d.item(d.start())
	d.menuHas(item, menuOpen("20500", "steady"))
	window := d.mainWindow()
	d.steady(window)
	first := d.selectedRow(window)
	d.do("select the row", item.Click(d.step(), menuOpen("20500", "steady")))
	d.eventually("the row of 20500 is selected", func() error {
		if d.selectedRow(window) == first { // other parts of the window change, too
			return errors.New("the first row is selected")
		}
		return nil
	})
	d.steady(window)
	at := d.selectedRow(window)
	d.do("go to the row", window.Click(at.X, at.Y)) // the row under the pointer stays there
	stop := churn(t, 20500)
	for range 5 {
		d.opens("a double click on the row of 20500", steady, "steady", func() error { return window.DoubleClick(at.X, at.Y) })
	}
	d.shot("churn")
	stop()
}

// The menu of a row stays that row's menu when its listener closes. It does not act on
// the row that takes its place.
func TestMenuOfAClosedRow(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.writeSettings("notifications: false\nwatches:\n  - ports: 20001\n")
	d.serve(d.program("later"), "/", "127.0.0.1:20002") // this row takes the other's place
	going := d.serve(d.program("going"), "/", "127.0.0.1:20001")
	item := d.item(d.start())
	d.menuHas(item, menuOpen("20001", "going"))
	window := d.mainWindow()
	d.do("filter", window.Type("20001-20002"))
	d.do("go to the row", window.Key("Down", "Home"))
	d.steady(window)
	at := d.selectedRow(window)
	before := d.steady(window)
	d.do("right click the row", window.RightClick(at.X, at.Y))
	d.waitChanged("the menu opens", window, before)
	open := d.steady(window)
	going.close()
	d.menuHas(item, menuFreeAfter("20001", "going"))
	d.waitChanged("the row closes", window, open)
	d.steady(window) // it is removed
	d.do("choose Open process", window.Key("Down", "Return"))
	process := d.window(processTitle("going", going.pid()))
	d.steady(process)
	d.do("take a picture", process.Screenshot(picturePath(t, "closed-process")))
}
