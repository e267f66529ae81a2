package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"porthole/e2e/desktop"
	"porthole/monitor/health"
)

// A server that fails the health check of its watch is reported in a notification, the tray, the
// history and the command line, and again when it answers well.
func TestHealthCheck(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	d.writeSettings("watches:\n  - ports: 20001\n    health: /health\n")
	var broken atomic.Bool
	var asked atomic.Int64
	d.serveHTTP("127.0.0.1:20001", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			http.NotFound(w, r)
			return
		}
		asked.Add(1)
		if broken.Load() {
			http.Error(w, "no database", http.StatusServiceUnavailable)
		}
	}))
	item := d.item(d.start())
	owner := serverName() + " · porthole" // this process, in the project of its folder
	d.menuHas(item, menuOpen("20001", owner))
	d.healthIs("20001", health.Healthy)
	window := d.mainWindow()
	d.filterRows(window, "20001")
	d.shot("healthy")

	broken.Store(true)
	note := d.note(noteUnhealthy("20001", owner))
	if !strings.HasSuffix(note.Summary, whyUnhealthy) {
		t.Errorf("got the notification %q; want the reason %q at its end", note.Summary, whyUnhealthy)
	}
	d.menuHas(item, menuUnhealthy("20001", owner))
	d.tooltip(item, tooltipUnhealthy(1))
	d.healthIs("20001", health.Unhealthy)
	d.steady(window)
	d.shot("unhealthy")

	broken.Store(false)
	d.note(noteHealthyAgain("20001"))
	d.menuHas(item, menuOpen("20001", owner))
	d.healthIs("20001", health.Healthy)
	d.waitHistory("20001", eventDiscovered, "unhealthy", "healthy")

	d.writeSettings("watches:\n  - ports: 20001\n")
	d.healthIs("20001", "")
	before := asked.Load()
	time.Sleep(11 * time.Second) // longer than the time between two checks
	if n := asked.Load() - before; n != 0 {
		t.Errorf("the server was asked %d times without a health check", n)
	}
}

// healthIs waits until porthole who reports this state of a port's server; "" is none.
func (d *desk) healthIs(port string, want health.State) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("the health of %s is %q", port, want), func() error {
		l, err := oneListener[struct{ Health struct{ State health.State } }](d, "who", port)
		if err == nil && l.Health.State != want {
			err = fmt.Errorf("got %q", l.Health.State)
		}
		return err
	})
}
