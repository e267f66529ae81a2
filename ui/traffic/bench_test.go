//go:build unix

package traffic

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor/traffic"
	"porthole/ui/uitest"
)

// filled returns a window with n exchanges of HTTP, and the exchanges.
func filled(b *testing.B, n int) (*Window, *fake, []traffic.Exchange) {
	w, f := open(b, "dark")
	w.choose(Capture)
	var all []traffic.Exchange
	for i := range n {
		all = append(all, exchange(i%500, "GET", fmt.Sprintf("/api/items/%d?token=x", i), 200, "application/json", `{"a":1}`))
	}
	f.store.Add(all...)
	w.Refresh()
	w.Focus()
	return w, f, all
}

// Moving the selection among 10,000 exchanges costs as much as among 20.
func BenchmarkTenThousandExchanges(b *testing.B) {
	for _, n := range []int{20, 10_000} {
		w, f, all := filled(b, n)
		b.Run(fmt.Sprintf("move in %d", n), func(b *testing.B) {
			const rows = 15 // down and up again: at the end of the list nothing would be selected
			for i := 0; b.Loop(); i++ {
				key := fyne.KeyName(fyne.KeyDown)
				if i/rows%2 == 1 {
					key = fyne.KeyUp
				}
				uitest.Press(w.window, key)
			}
		})
		b.Run(fmt.Sprintf("200 more in %d", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				f.store.Add(all[:min(n, 200)]...)
				b.StartTimer()
				w.Refresh()
			}
		})
	}
}

// Showing a message of which as much as possible is shown.
func BenchmarkLongBody(b *testing.B) {
	w, f := open(b, "dark")
	w.choose(Capture)
	long := exchange(0, "GET", "/", 200, "text/plain", strings.Repeat("a line of the usual length of a line in a text or a log\n", 5000))
	f.store.Add(long, exchange(1, "GET", "/", 200, "text/plain", "short"))
	w.Refresh()
	for b.Loop() {
		w.table.Select("1")
		b.StopTimer()
		w.table.Select("2")
		b.StartTimer()
	}
}

// processorTime returns the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A second with 1,000 exchanges, shown in five updates, while as many as possible are
// kept: the share of a processor that the list and the details need, without painting.
func BenchmarkThousandASecond(b *testing.B) {
	const updates, perUpdate = 5, 200
	w, f, all := filled(b, traffic.MaxExchanges)
	var used time.Duration
	for b.Loop() {
		for range updates {
			f.store.Add(all[:perUpdate]...)
			before := processorTime(b)
			w.Refresh()
			used += processorTime(b) - before
		}
		w.Tick()
	}
	b.ReportMetric(100*used.Seconds()/float64(b.N), "%processor")
}
