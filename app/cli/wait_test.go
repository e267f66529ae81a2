package cli

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"porthole/internal/freeport"
	"porthole/monitor/process/child"
)

func TestWait(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	var out bytes.Buffer
	o := Options{Stdout: &out, Stderr: &out}
	if err := runWait(t.Context(), []string{port}, waitOptions{Options: o, Closed: false, Timeout: 10 * time.Second}); err != nil {
		t.Errorf("open port: %v", err)
	}
	err := runWait(t.Context(), []string{port}, waitOptions{Options: o, Closed: true, Timeout: 300 * time.Millisecond})
	if err == nil || Status(err) != 1 || !strings.Contains(err.Error(), port+" did not close within 300ms") {
		t.Errorf("port that stays open: error = %v (status %d), want a timeout with status 1", err, Status(err))
	}
	closing := make(chan error, 1)
	go func() {
		closing <- runWait(t.Context(), []string{port}, waitOptions{Options: o, Closed: true, Timeout: 10 * time.Second})
	}()
	_ = ln.Close() // before or after the first poll: both must work
	if err := <-closing; err != nil {
		t.Errorf("port that closes: %v", err)
	}
	opening := make(chan error, 1)
	go func() {
		opening <- runWait(t.Context(), []string{port}, waitOptions{Options: o, Closed: false, Timeout: 10 * time.Second})
	}()
	again, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := <-opening; err != nil {
		t.Errorf("port that opens: %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("output = %q, want none", out.String())
	}
}

func TestWaitRefusesInvalidInput(t *testing.T) {
	for _, test := range []struct {
		port    string
		timeout time.Duration
		want    string
	}{
		{"70000", time.Second, `"70000": a port is a number from 1 to 65535`},
		{"1-5", time.Second, `"1-5": expected a single port`},
		{"", time.Second, `"": a port is a number from 1 to 65535`},
		{"80", -time.Second, "-1s: the timeout must be positive"},
	} {
		var out bytes.Buffer
		if err := runWait(t.Context(), []string{test.port}, waitOptions{Options: Options{Stdout: &out, Stderr: &out}, Timeout: test.timeout}); err == nil || err.Error() != test.want || Status(err) != 2 {
			t.Errorf("runWait(%q, %v): error = %v, want %s", test.port, test.timeout, err, test.want)
		}
	}
}

func TestWaitForNames(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name": "Wait-For-Me"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	free := strconv.Itoa(freeport.Get(t))
	var out bytes.Buffer
	o := waitOptions{Options: Options{Stdout: &out, Stderr: &out}, Any: true, Timeout: 20 * time.Second}
	done := make(chan error, 1)
	go func() { done <- runWait(t.Context(), []string{free, "wait-for-me"}, o) }()
	child.Serve(t, "listen", withoutSettings, func(c *exec.Cmd) { c.Dir = folder })
	if err := <-done; err != nil || out.String() != "wait-for-me\n" {
		t.Errorf("got %v, %q; want the name that is ready", err, out.String())
	}
	o.Any, o.Timeout = false, 300*time.Millisecond
	if err := runWait(t.Context(), []string{free, "wait-for-me"}, o); err == nil || !strings.Contains(err.Error(), free+" did not open") || strings.Contains(err.Error(), "wait-for-me") {
		t.Errorf("got %v, want that only the port did not open", err)
	}
}

func TestWaitForHTTP(t *testing.T) {
	status := atomic.Int32{}
	status.Store(http.StatusServiceUnavailable)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ready" {
			w.WriteHeader(int(status.Load()))
		}
	})
	for _, server := range []*httptest.Server{httptest.NewServer(handler), httptest.NewTLSServer(handler)} {
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		defer server.Close()
		status.Store(http.StatusServiceUnavailable)
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		var out bytes.Buffer
		o := waitOptions{Options: Options{Stdout: &out, Stderr: &out}, HTTP: "/ready", Timeout: 700 * time.Millisecond}
		if err := runWait(t.Context(), []string{port}, o); err == nil || !strings.Contains(err.Error(), port+" is open, but does not answer with a status below 500 (status 503)") {
			t.Errorf("%s: got %v, want the status", server.URL, err)
		}
		o.Timeout = 20 * time.Second
		done := make(chan error, 1)
		go func() { done <- runWait(t.Context(), []string{port}, o) }()
		status.Store(http.StatusNotFound) // below 500
		if err := <-done; err != nil {
			t.Errorf("%s: got %v", server.URL, err)
		}
	}
}

func TestWaitBadFlags(t *testing.T) {
	for _, o := range []waitOptions{{HTTP: "ready"}, {HTTP: "/a b"}, {HTTP: "/", Closed: true}, {HTTP: "/", Options: Options{UDP: true}}, {HTTP: "/" + strings.Repeat("a", 600)}} {
		o.Timeout, o.Stderr = time.Second, io.Discard
		if err := runWait(t.Context(), []string{"80"}, o); Status(err) != 2 {
			t.Errorf("%+v: got %v, want a UsageError", o, err)
		}
	}
	for _, arg := range []string{"localhost", "127.0.0.1", "::1", "http://x", "70000", "a:b:c", "\x1b[31mred"} {
		if err := runWait(t.Context(), []string{arg}, waitOptions{Options: Options{Stderr: io.Discard}, Timeout: time.Millisecond}); Status(err) != 2 {
			t.Errorf("%q: got %v, want a UsageError", arg, err)
		}
	}
}

// wait refuses a name that several servers have, with the servers, as who and stop do.
func TestWaitRefusesAmbiguousNames(t *testing.T) {
	a, first := listen(t, "127.0.0.1:0")
	defer a.Close()
	b, second := listen(t, "127.0.0.1:0")
	defer b.Close()
	for _, o := range []waitOptions{{}, {Any: true}, {Closed: true}, {HTTP: "/"}} {
		o.Options, o.Timeout = Options{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}, time.Minute
		writeSettings(t, "labels:\n  - ports: "+first+", "+second+"\n    name: twice here\n")
		err := runWait(t.Context(), []string{"twice here"}, o)
		if Status(err) != 2 || !strings.Contains(err.Error(), "is ambiguous") || !strings.Contains(err.Error(), first+" (") || !strings.Contains(err.Error(), second+" (") {
			t.Errorf("%+v: got %v, status %d; want both servers and status 2", o, err, Status(err))
		}
	}
	writeSettings(t, "labels:\n  - ports: "+first+"\n    name: only one\n")
	if err := runWait(t.Context(), []string{"ONLY one"}, waitOptions{Options: Options{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}, Timeout: time.Minute}); err != nil {
		t.Errorf("a name of one server: %v", err)
	}
}

// "localhost" is ambiguous if 127.0.0.1 and [::1] of a port belong to different processes: who,
// list and JSON say so.
func TestAmbiguousLocalhost(t *testing.T) {
	_, port, ok := server(t, "127.0.0.1:0")
	if !ok {
		t.Skip("this machine has no 127.0.0.1")
	}
	number := strconv.Itoa(port)
	if _, _, ok := server(t, "[::1]:"+number, func(c *exec.Cmd) { c.Dir = t.TempDir() }); !ok {
		t.Skip("this machine has no ::1")
	}
	out, notes, err := run(func(o Options) error { return runList(t.Context(), []string{number}, o) }, Options{})
	if want := "\"localhost\" is ambiguous on " + number; err != nil || !strings.Contains(notes, want) {
		t.Errorf("list: error %v, got %q and %q, want %q", err, out, notes, want)
	}
	out, _, err = run(func(o Options) error { return runList(t.Context(), []string{number}, o) }, Options{JSON: true})
	if err != nil || strings.Count(out, `"localhost_ambiguous":true`) != 2 {
		t.Errorf("list --json: error %v, got %s", err, out)
	}
	out, _, err = run(func(o Options) error { return runWhoAll(t.Context(), []string{number}, o) }, Options{})
	if err != nil || strings.Count(out, "! “localhost” is ambiguous") != 2 {
		t.Errorf("who: error %v, got\n%s", err, out)
	}
	out, _, err = run(func(o Options) error { return runWhoAll(t.Context(), []string{number}, o) }, Options{JSON: true})
	if err != nil || !strings.Contains(out, `"kind":"ambiguous_localhost"`) {
		t.Errorf("who --json: error %v, got %s", err, out)
	}
}
