package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/app/ipc"
	"porthole/monitor/watch"
)

// hookResult is a call of onResult.
type hookResult struct {
	rule watch.Rule
	err  error
}

// runHooks runs hooks until the test ends and returns their results.
func runHooks(t *testing.T, timeout time.Duration) (*hooks, <-chan hookResult) {
	t.Helper()
	results := make(chan hookResult, 2*maxHooks)
	h := newHooks(func(rule watch.Rule, err error) { results <- hookResult{rule, err} })
	h.timeout = timeout
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { h.run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return h, results
}

// script writes a program that contains the shell commands text.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func hookAlert(run []string, post string) watch.Alert {
	a := openedAlert(testListener())
	a.Rule.Name, a.Rule.Run, a.Rule.Post = "shop", run, post
	return a
}

func TestHookRunsACommandWithoutAShell(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	h, results := runHooks(t, hookTimeout)
	h.add([]watch.Alert{openedAlert(testListener()), hookAlert([]string{script(t, `{ echo "$1"; env | grep ^PORTHOLE_; } >"$2"`), "a $(touch owned) b", out}, "")})
	if r := <-results; r.err != nil || r.rule.Name != "shop" {
		t.Fatalf("got %+v", r)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a $(touch owned) b\n", "PORTHOLE_EVENT=opened\n", "PORTHOLE_PORT=62893\n", "PORTHOLE_PROTOCOL=tcp\n", "PORTHOLE_PID=7\n", "PORTHOLE_PROCESS=node\n", "PORTHOLE_WATCH=shop\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in:\n%s", want, b)
		}
	}
	if strings.Contains(string(b), "hunter2") {
		t.Errorf("the environment contains a secret:\n%s", b)
	}
}

func TestHookPostsJSON(t *testing.T) {
	bodies := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- r.Method + " " + r.Header.Get("Content-Type") + " " + string(b)
		if r.URL.Query().Get("fail") != "" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	h, results := runHooks(t, hookTimeout)
	h.add([]watch.Alert{hookAlert(nil, server.URL+"/hook")})
	body, isJSON := strings.CutPrefix(<-bodies, "POST application/json ")
	var got hookEvent
	if err := json.Unmarshal([]byte(body), &got); err != nil || !isJSON || got.Event != watch.Opened || got.Port != 62893 || got.PID != 7 || got.Watch != "shop" || strings.Contains(body, "hunter2") {
		t.Errorf("got %s, error %v", body, err)
	}
	if r := <-results; r.err != nil {
		t.Error(r.err)
	}
	h.add([]watch.Alert{hookAlert(nil, server.URL+"/s3cret?fail=1")})
	<-bodies
	if r := <-results; r.err == nil || !strings.Contains(r.err.Error(), "403") || strings.Contains(r.err.Error(), "s3cret") {
		t.Errorf("refused POST: got error %v, want the status and no secret", r.err)
	}
	server.Close()
	h.add([]watch.Alert{hookAlert(nil, server.URL+"/s3cret")})
	if r := <-results; r.err == nil || strings.Contains(r.err.Error(), "s3cret") {
		t.Errorf("no server: got error %v, want one without a secret", r.err)
	}
}

func TestFailingHooks(t *testing.T) {
	h, results := runHooks(t, 100*time.Millisecond)
	for want, run := range map[string][]string{
		"exit status 3":   {script(t, "exit 3"), "s3cret"},
		"did not end":     {script(t, "sleep 60 & sleep 60"), "s3cret"},
		"no such file or": {"/nonexistent/program", "s3cret"},
	} {
		h.add([]watch.Alert{hookAlert(run, "")})
		if r := <-results; r.err == nil || !strings.Contains(r.err.Error(), want) || strings.Contains(r.err.Error(), "s3cret") {
			t.Errorf("%q: got error %v, want %q and no arguments", run, r.err, want)
		}
	}
	h = newHooks(func(_ watch.Rule, err error) { t.Error(err) }) // not running: nothing takes from the queue
	for range maxHooks {
		h.add([]watch.Alert{hookAlert([]string{"x"}, "")})
	}
	var full error
	h.onResult = func(_ watch.Rule, err error) { full = err }
	h.add([]watch.Alert{hookAlert([]string{"x"}, "")})
	if full == nil {
		t.Error("a full queue drops a hook without an error")
	}
}

// A window can move, change and delete watches with hooks, but not set a hook.
func TestHooksComeOnlyFromTheSettingsFile(t *testing.T) {
	w := newWatchesTest(t)
	const file = "watches:\n  - ports: 80\n    run: [echo, hello]\n  - ports: 81\n"
	w.write(file)
	set := func(rules watch.Rules) {
		w.a.WindowMessage(nil, ipc.Message{Kind: ipc.SetWatches, Base: w.a.rules, Watches: rules})
		(<-w.a.inbox)()
	}
	before := w.a.rules
	evil := watch.Rules{before[0], before[1]}
	evil[1].Run, evil[1].Post = []string{"evil"}, "http://evil.example/"
	set(evil)
	w.wantFile(file)
	set(before[1:])
	w.wantFile("watches:\n  - ports: 81\n")
	set(before) // undo
	w.wantFile(file)
	if got := hookProblem(before[0], errors.New("exit status 3")); !strings.Contains(got, "failed: exit status 3") {
		t.Errorf("got problem %q", got)
	}
}
