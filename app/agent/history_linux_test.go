package agent

import (
	"net"
	"strconv"
	"testing"

	"porthole/app/ipc"
	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/monitor"
	"porthole/monitor/sockevents"
	"porthole/monitor/watch"
)

// The window gets to know of attempts that were stored, although no listener has changed
// by them.
func TestWindowLearnsOfStoredAttempts(t *testing.T) {
	if found, err := sockevents.Probe(); found != sockevents.Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	r := runAgent(t)
	port := uint16(freeport.Get(t))
	r.send(ipc.Message{Kind: ipc.SetWatches, Base: watch.Default(), Watches: watch.Rules{{Ports: monitor.Ports{{First: port, Last: port}}}}})
	r.waitForStatus("the watch", func(s *ipc.Status) bool { return s.Watches.WatchesPort(port) })
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
	await.Until(t, "the window gets an attempt", func() bool { // the first ones may come before the first poll
		_, _ = net.Dial("tcp", address)
		select {
		case m := <-r.messages:
			return m.Kind == ipc.StatusUpdate && len(m.Status.Attempts) > 0
		default:
			return false
		}
	})
	ln, err := net.Listen("tcp", address) // ends the burst
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r.waitFor("that the burst was stored", func(m ipc.Message) bool { return m.Kind == ipc.HistoryAdded })
}
