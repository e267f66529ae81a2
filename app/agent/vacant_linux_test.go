package agent

import (
	"context"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/inuse"
	"porthole/monitor/watch"
)

// The tray asks about a watched port when nothing listens on it, once, and again when the menu is
// opened; the answer comes from another goroutine.
func TestTrayAsksAboutVacantPorts(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(name.(*unix.SockaddrInet4).Port)
	if inuse.Ask(t.Context(), port).State() == inuse.Free {
		t.Skip("this kernel does not report bound sockets: they need Linux 6.8")
	}
	a, _ := newTestAgent(t, "")
	defer a.quit()
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: port, Last: port}}}, {Ports: monitor.Ports{{First: 1, Last: 9}}}}
	a.askVacant(false)
	if len(a.vacantRequests) != 0 {
		t.Error("asked before the first snapshot")
	}
	a.update.Ready = true
	a.askVacant(false)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.answerVacant(ctx)
	}()
	(<-a.inbox)()
	if got := a.vacant[port]; got.State() != inuse.Taken || len(a.vacant) != 1 {
		t.Errorf("got %+v, want that the port is taken", a.vacant)
	}
	cancel()
	<-ended
	a.askVacant(false)
	if len(a.vacantRequests) != 0 {
		t.Error("asked again although nothing changed")
	}
	trayActions{a}.Opened()
	(<-a.inbox)()
	if got := <-a.vacantRequests; !slices.Equal(got, []uint16{port}) {
		t.Errorf("menu opened: asked about %v, want %d", got, port)
	}
	l := testListener()
	l.Port = port
	a.update.Snapshot.Listeners = []*monitor.Listener{l}
	a.askVacant(false)
	if got := <-a.vacantRequests; len(got) != 0 || len(a.vacant) != 0 {
		t.Errorf("open: asked about %v with the answers %v, want nothing", got, a.vacant)
	}
}
