package container

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
)

const (
	webID = "1111111111111111111111111111111111111111111111111111111111111111"
	dbID  = "2222222222222222222222222222222222222222222222222222222222222222"

	// A response of Docker 20.10, reduced to the fields that are read.
	running = `[{"Id":"` + webID + `","Names":["/other/alias","/web"],"Image":"acme/web:1","State":"running",
		"Ports":[{"IP":"127.0.0.1","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":443,"Type":"tcp"}],
		"NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2","GlobalIPv6Address":""}}}},
		{"Id":"` + dbID + `","Names":["/db"],"Image":"sha256:00","Ports":[]}]`
)

func init() { checkTimeout = time.Minute }

// engine serves respond on a Unix socket until the test ends.
func engine(t *testing.T, answer http.HandlerFunc) (names *Resolver, requests *atomic.Int32) {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int32)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Method != http.MethodGet || r.URL.Path != "/containers/json" {
			http.NotFound(w, r)
			return
		}
		answer(w, r)
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	names = New()
	names.engines.sockets = []string{filepath.Join(dir, "none"), path}
	return names, requests
}

func respondWith(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func listenerAt(address string, port uint16) *monitor.Listener {
	return &monitor.Listener{ID: fmt.Sprint("tcp-", port), Protocol: monitor.TCP, Port: port, Addresses: []netip.Addr{netip.MustParseAddr(address)}}
}

func proxyListener(address string, port uint16, user, to string) *monitor.Listener {
	l := listenerAt(address, port)
	l.Service, l.ServiceBy = "docker-proxy", monitor.ByProgram
	l.Owners = []monitor.Owner{{PID: 7, Start: 1, Name: "docker-proxy", User: user, Program: "/usr/sbin/docker-proxy",
		Command: []string{"docker-proxy", "-proto", "tcp", "-host-ip", address, "-host-port", fmt.Sprint(port), "-container-ip", to, "-container-port", "80"}}}
	return l
}

func ownerUnknownListener(address string, port uint16, user, container string) *monitor.Listener {
	l := listenerAt(address, port)
	l.User, l.OwnerUnknown, l.ContainerID = user, monitor.UnknownForeign, container
	return l
}

func TestResolve(t *testing.T) {
	guessed := ownerUnknownListener("0.0.0.0", 5432, "bob", dbID)
	guessed.Service, guessed.ServiceBy = "PostgreSQL", monitor.ByPort
	sure := ownerUnknownListener("0.0.0.0", 5432, "bob", dbID)
	sure.Service, sure.ServiceBy = "PostgreSQL", monitor.ByProgram
	own := listenerAt("127.0.0.1", 9000)
	own.Owners = []monitor.Owner{{PID: os.Getpid(), Start: 1, Name: "docker-prox"}}
	for _, test := range []struct {
		name   string
		l      *monitor.Listener
		engine bool
		want   string // service, certainty, then the container
	}{
		{"docker-proxy", proxyListener("127.0.0.1", 8080, "root", "172.17.0.2"), true, "container web (image acme/web:1)|program|172.17.0.2:80 published"},
		{"docker-proxy without an engine", proxyListener("127.0.0.1", 8080, "root", "172.17.0.2"), false, "container at 172.17.0.2:80|program|172.17.0.2:80 published"},
		{"by the inner address", proxyListener("0.0.0.0", 81, "root", "172.17.0.2"), true, "container web (image acme/web:1)|program|172.17.0.2:80 published"},
		{"process named docker-proxy of another user", proxyListener("0.0.0.0", 81, "bob", "172.17.0.2"), true, "container at 172.17.0.2:80|program|172.17.0.2:80 published"},
		{"nonsense in the command line", proxyListener("0.0.0.0", 81, "root", "fe80::1%\x1b[31m"), true, "docker-proxy|program|"},
		{"docker-proxy with unknown owner", ownerUnknownListener("127.0.0.1", 8080, "root", ""), true, "container web (image acme/web:1)|command| published"},
		{"root's, and not published", ownerUnknownListener("0.0.0.0", 8080, "root", ""), true, "||"},
		{"another user's", ownerUnknownListener("127.0.0.1", 8080, "bob", ""), true, "||"},
		{"a control group, over a guess", guessed, true, "container db|command|"},
		{"a service is more than its container", sure, true, "PostgreSQL|program|"},
		{"a control group without an engine", ownerUnknownListener("0.0.0.0", 81, "bob", webID), false, "container 111111111111|command|"},
		{"this process is in none that the engine knows", own, true, "||"},
	} {
		t.Run(test.name, func(t *testing.T) {
			names, _ := engine(t, respondWith(running))
			if !test.engine {
				names.engines.sockets = nil
			}
			l := *test.l
			names.Resolve(t.Context(), &l)
			if test.l == own && l.Container != nil {
				t.Skip("the test runs in a container")
			}
			got := l.Service + "|" + string(l.ServiceBy) + "|"
			if c := l.Container; c != nil {
				got += c.Address
				if c.Published {
					got += " published"
				}
			}
			if got != test.want {
				t.Errorf("got %q, %+v; want %q", got, l.Container, test.want)
			}
		})
	}
}

func TestBadEngineResponses(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	many := strings.Repeat(`{"Id":"x","Names":["/`+strings.Repeat("n", 1000)+`"]},`, 9000)
	for name, answer := range map[string]http.HandlerFunc{
		"hangs": hang,
		"hangs later": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[{")
			w.(http.Flusher).Flush()
			hang(w, r)
		},
		"no JSON":     respondWith("<html>"),
		"wrong JSON":  respondWith(`{"message":"x"}`),
		"wrong types": respondWith(`[{"Id":7,"Names":"web","Ports":{}}]`),
		"nothing":     respondWith(""),
		"huge":        respondWith("[" + many + `{"Id":"` + webID + `","Names":["/web"]}]`),
		"an error":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, running, http.StatusInternalServerError) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			names, requests := engine(t, answer)
			for range 3 { // it is asked only once
				l := proxyListener("127.0.0.1", 8080, "root", "172.17.0.2")
				names.Resolve(t.Context(), l)
				if l.Service != "container at 172.17.0.2:80" {
					t.Errorf("service: got %q, want what is known without the engine", l.Service)
				}
			}
			if requests.Load() != 1 {
				t.Errorf("got %d requests, want one", requests.Load())
			}
		})
	}
}

func TestHostileNames(t *testing.T) {
	names, _ := engine(t, respondWith(`[{"Id":"`+webID+`","Names":["/a\u202eb\u001b[31m\n`+strings.Repeat("x", 5000)+`"],"Image":"<b>\u0000i`+strings.Repeat("y", 5000)+`"}]`))
	l := ownerUnknownListener("0.0.0.0", 81, "bob", webID)
	names.Resolve(t.Context(), l)
	if c := l.Container; c == nil || len([]rune(c.Name)) > 60 || len([]rune(c.Image)) > 100 || l.Service != monitor.Clean(l.Service, 300) || !strings.HasPrefix(c.Name, "a b") {
		t.Errorf("got %+v, service %q; want short clean text", c, l.Service)
	}
}

func TestForeignSocketIsNotTrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to change a socket's owner")
	}
	names, requests := engine(t, respondWith(running))
	path := names.engines.sockets[1]
	if err := os.Lchown(path, 4242, 4242); err != nil {
		t.Fatal(err)
	}
	l := ownerUnknownListener("0.0.0.0", 81, "bob", webID)
	names.Resolve(t.Context(), l)
	if requests.Load() != 0 || l.Container == nil || l.Container.Name != "" {
		t.Errorf("got %d requests, container %+v; want none", requests.Load(), l.Container)
	}
	if trusted("/etc/passwd", 0) || trusted(filepath.Dir(path), 0) {
		t.Error("a regular file is trusted")
	}
}

// The engine lists a container only after its proxy listens, so it is looked up
// again.
func TestDescribeAfterRetry(t *testing.T) {
	var up atomic.Bool
	names, _ := engine(t, func(w http.ResponseWriter, r *http.Request) {
		if !up.Swap(true) {
			respondWith("[]")(w, r)
			return
		}
		respondWith(running)(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	learned, ended := make(chan struct{}, 10), make(chan struct{})
	go func() {
		defer close(ended)
		names.Run(ctx, func() { learned <- struct{}{} })
	}()
	describe := func() string {
		l := proxyListener("127.0.0.1", 8080, "root", "172.17.0.2")
		names.Describe(l)
		return l.Service
	}
	if got := describe(); got != "container at 172.17.0.2:80" {
		t.Errorf("first: got %q", got)
	}
	select {
	case <-learned:
	case <-time.After(20 * time.Second):
		t.Fatal("learned was not called for a container that started")
	}
	if got := describe(); got != "container web (image acme/web:1)" {
		t.Errorf("later: got %q", got)
	}
	cancel()
	<-ended
}

func TestDescribeDoesNotBlockOnHangingEngine(t *testing.T) {
	names, requests := engine(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); names.Run(ctx, func() {}) }()
	describe := func(i int) {
		l := proxyListener("127.0.0.1", 8080, "root", "172.17.0.2")
		l.Owners[0].PID = i
		names.Describe(l)
	}
	describe(0)
	await.Until(t, "the engine is asked", func() bool { return requests.Load() > 0 })
	for i := range 2 * maxCached {
		describe(i)
	}
	if n := requests.Load(); n != 1 { // another one would have waited for the engine
		t.Errorf("%d requests, want only the one that hangs", n)
	}
	names.mu.Lock()
	kept := len(names.cache)
	names.mu.Unlock()
	if kept > maxCached {
		t.Errorf("%d calls cached %d", 2*maxCached, kept)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("Run does not return when its context is done")
	}
}

func FuzzProxyTarget(f *testing.F) {
	f.Add("docker-proxy -container-ip 172.17.0.2 -container-port 80")
	f.Add("-container-ip")
	f.Fuzz(func(t *testing.T, line string) {
		if a := proxyTarget(strings.Fields(line)); a.IsValid() && a.String() != monitor.Clean(a.String(), 100) {
			t.Errorf("%q: got %q", line, a)
		}
	})
}
