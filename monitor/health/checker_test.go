package health

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
)

// rawServer answers each connection with the result of answer, and keeps it open if hang is set.
func rawServer(t *testing.T, answer string, hang bool) *monitor.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() { close(done); _ = ln.Close(); open.Wait() })
	open.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				_, _ = bufio.NewReader(c).ReadString('\n') // the request
				_, _ = io.WriteString(c, answer)
				if hang {
					<-done
				}
			})
		}
	})
	return listenerOf(ln)
}

// What real servers answer, and what that means.
func TestAnswers(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-r.Context().Done() // the body never comes
	}))
	t.Cleanup(slow.Close)
	strict := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	strict.Config.ErrorLog = log.New(io.Discard, "", 0)
	strict.StartTLS()
	t.Cleanup(strict.Close)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	long := "HTTP/1.1 200 OK\r\nX-Long: "
	for range 100 {
		long += fmt.Sprintf("%01024d", 0)
	}
	for name, test := range map[string]struct {
		listener *monitor.Listener
		want     monitor.HealthAnswer
		healthy  bool
	}{
		"body that never comes": {listenerOf(slow.Listener), monitor.HealthAnswer{Path: "/h", Status: 200}, true},
		"TLS, 503":              {listenerOf(strict.Listener), monitor.HealthAnswer{Path: "/h", Status: 503}, false},
		"redirect":              {rawServer(t, "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n", false), monitor.HealthAnswer{Path: "/h", Status: 302}, true},
		"no answer":             {rawServer(t, "", true), monitor.HealthAnswer{Path: "/h", Failure: monitor.NoAnswer}, false},
		"half an answer":        {rawServer(t, "HTTP/1.1 200", true), monitor.HealthAnswer{Path: "/h", Failure: monitor.NoAnswer}, false},
		"garbage":               {rawServer(t, "+OK\x00hello\r\n", false), monitor.HealthAnswer{Path: "/h", Failure: monitor.AnswerNotHTTP}, false},
		"endless header":        {rawServer(t, long+"\r\n\r\n", false), monitor.HealthAnswer{Path: "/h", Failure: monitor.AnswerNotHTTP}, false},
		"closes":                {rawServer(t, "", false), monitor.HealthAnswer{Path: "/h", Failure: monitor.AnswerClosed}, false},
		"refuses":               {listenerOf(gone), monitor.HealthAnswer{Path: "/h", Failure: monitor.AnswerRefused}, false},
		"UDP":                   {&monitor.Listener{Protocol: monitor.UDP, Port: 53}, monitor.HealthAnswer{Path: "/h", Failure: monitor.NotReachable}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Question{Listener: test.listener, Path: "/h"}.Ask(context.Background())
			if got := r.Answer(); got != test.want || got.Healthy() != test.healthy {
				t.Errorf("got %+v (%v), want %+v", got, r.Err, test.want)
			}
		})
	}
}

// A socket can be bound to an address of another machine (IP_FREEBIND): that machine is not
// asked.
func TestAsksOnlyThisMachine(t *testing.T) {
	foreign := monitor.Socket{Protocol: monitor.TCP, Address: netip.MustParseAddr("192.0.2.1"), Port: 80}
	l := &monitor.Listener{Protocol: monitor.TCP, Port: 80, Addresses: []netip.Addr{foreign.Address}, Sockets: []monitor.HeldSocket{{Socket: foreign}}}
	connected := false
	begin := time.Now()
	r := Question{Listener: l, Path: "/", Connected: func(_, _ netip.AddrPort) { connected = true }}.Ask(t.Context())
	if connected || r.URL != "" || r.Answer().Failure != monitor.NotReachable {
		t.Errorf("got %+v after %v, want no connection", r, time.Since(begin))
	}
}

// Both ends of each connection are reported before the server sees the request.
func TestReportsItsConnections(t *testing.T) {
	var mu sync.Mutex
	known := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !known[r.RemoteAddr] {
			t.Errorf("a request from %s, which was not reported", r.RemoteAddr)
		}
	}))
	defer server.Close()
	r := Question{Listener: listenerOf(server.Listener), Path: "/", Connected: func(client, at netip.AddrPort) {
		mu.Lock()
		defer mu.Unlock()
		known[client.String()] = true
		if at.String() != server.Listener.Addr().String() {
			t.Errorf("server: got %s, want %s", at, server.Listener.Addr())
		}
	}}.Ask(t.Context())
	if r.Err != nil || len(known) != 1 {
		t.Errorf("got %+v and %d connections, want one", r, len(known))
	}
}

// One bad answer changes nothing, two make a server unhealthy, one good one healthy.
func TestObserve(t *testing.T) {
	begin := time.Now()
	c, failures := Check{Answer: monitor.HealthAnswer{Path: "/"}}, 0
	for i, step := range []struct {
		status int
		state  State
		event  monitor.Kind
	}{
		{503, Unknown, ""}, {200, Healthy, ""}, {503, Healthy, ""}, {404, Healthy, ""}, {500, Healthy, ""},
		{503, Unhealthy, monitor.Unhealthy}, {500, Unhealthy, ""}, {302, Healthy, monitor.Healthy}, {200, Healthy, ""},
	} {
		event := c.observe(begin.Add(time.Duration(i)*time.Second), monitor.HealthAnswer{Path: "/", Status: step.status}, failures)
		if failures++; step.status < 500 {
			failures = 0
		}
		if c.State != step.state || event != step.event || c.Answer.Status != step.status {
			t.Errorf("step %d, status %d: got %q and event %q, want %q and %q", i, step.status, c.State, event, step.state, step.event)
		}
	}
	if want := begin.Add(7 * time.Second); !c.Since.Equal(want) {
		t.Errorf("healthy since %v, want the first good answer, %v", c.Since, want)
	}
}

// A Checker asks each target once in an interval, reports events, and ends with its context.
func TestChecker(t *testing.T) {
	var status, requests atomic.Int64
	status.Store(503)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	l := listenerOf(server.Listener)
	l.ID = "a"
	events := make(chan monitor.Event, 64)
	c := NewChecker(Callbacks{Changed: func(e monitor.Event) {
		if e.Kind != "" {
			events <- e
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	c.Watch([]Target{{l, "/health"}, {l, "/health"}}, 20*time.Millisecond)
	e := <-events
	if e.Kind != monitor.Unhealthy || e.Health != (monitor.HealthAnswer{Path: "/health", Status: 503}) || e.Listener != l {
		t.Errorf("got %+v, want unhealthy with HTTP 503", e)
	}
	if n := requests.Load(); n != failuresNeeded {
		t.Errorf("got %d requests until then, want %d", n, failuresNeeded)
	}
	status.Store(204)
	if e := <-events; e.Kind != monitor.Healthy || e.Lasted <= 0 {
		t.Errorf("got %+v, want healthy again after some time", e)
	}
	if got := c.Checks(); len(got) != 1 || got[0].State != Healthy || got[0].Listener != "a" {
		t.Errorf("got %+v, want one healthy server", got)
	}
	c.Watch(nil, time.Hour)
	if got := c.Checks(); got != nil {
		t.Errorf("got %+v after the watch was removed, want nothing", got)
	}
	cancel()
	running.Wait()
}

// A server that never answers holds up neither the others nor the end.
func TestCheckerWithHangingServers(t *testing.T) {
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer good.Close()
	var targets []Target
	hanging := rawServer(t, "", true)
	for i := range MaxTargets + 10 {
		l := *hanging
		l.ID = fmt.Sprint("hangs ", i)
		targets = append(targets, Target{&l, "/"})
	}
	ok := listenerOf(good.Listener)
	ok.ID = "ok"
	c := NewChecker(Callbacks{})
	c.Watch(append([]Target{{ok, "/"}}, targets...), time.Hour)
	if n := len(c.Checks()); n != MaxTargets {
		t.Errorf("%d servers are asked, want at most %d", n, MaxTargets)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	await.Until(t, "the good server is healthy", func() bool {
		check, found := For(c.Checks(), "ok", "/")
		return found && check.State == Healthy
	}, func() any { return c.Checks() })
	cancel()
	running.Wait()
}

func TestOf(t *testing.T) {
	checks := []Check{
		{Listener: "a", State: Healthy, Answer: monitor.HealthAnswer{Path: "/"}}, {Listener: "a", State: Unhealthy, Answer: monitor.HealthAnswer{Path: "/db"}},
		{Listener: "b", State: Healthy, Answer: monitor.HealthAnswer{Path: "/"}},
	}
	if c, ok := Of(checks, "a"); !ok || c.State != Unhealthy {
		t.Errorf("got %+v, %v; want the unhealthy one", c, ok)
	}
	if c, ok := For(checks, "a", "/"); !ok || c.State != Healthy {
		t.Errorf("got %+v, %v; want the one of the path", c, ok)
	}
	if _, ok := Of(checks, "c"); ok {
		t.Error("got a check of another listener")
	}
}
