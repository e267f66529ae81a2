package agent

import (
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// BenchmarkTwoHundredClosings measures what the agent needs for 200 watched ports
// that close at once: from the update of the monitor to the notification.
func BenchmarkTwoHundredClosings(b *testing.B) {
	var closed []monitor.Event
	for i := range 200 {
		l := testListener()
		l.ID, l.Port = strconv.Itoa(i), uint16(20000+i)
		closed = append(closed, monitor.Event{At: time.Now(), Kind: monitor.Closed, Listener: l})
	}
	rules := watch.Rules{{Ports: monitor.Ports{{First: 20000, Last: 20999}}}}
	before := processorTime(b)
	for b.Loop() {
		a, notifier := newTestAgent(b, "")
		a.rules = rules
		a.watcher.SetRules(rules, 0)
		a.handleUpdate(monitor.Update{Events: closed})
		a.notifyAlerts(a.current(a.watcher.Due(time.Now())))
		<-notifier.shown
		a.quit()
		a.notifications.Wait()
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// processorTime returns the processor time of this process.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
