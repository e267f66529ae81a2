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
	"slices"
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
	for _, want := range []string{"a $(touch owned) b\n", "PORTHOLE_EVENT=opened\n", "PORTHOLE_STATE=open\n", "PORTHOLE_PORT=62893\n", "PORTHOLE_PROTOCOL=tcp\n", "PORTHOLE_PID=7\n", "PORTHOLE_PROCESS=node\n", "PORTHOLE_WATCH=shop\n"} {
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
	for _, test := range []struct {
		want    string
		program string
		timeout time.Duration
	}{
		{"exit status 3", script(t, "exit 3"), hookTimeout},
		{"did not end", script(t, "sleep 600 & sleep 600"), 100 * time.Millisecond},
		{"no such file or", "/nonexistent/program", hookTimeout},
	} {
		h, results := runHooks(t, test.timeout)
		h.add([]watch.Alert{hookAlert([]string{test.program, "s3cret"}, "")})
		if r := <-results; r.err == nil || !strings.Contains(r.err.Error(), test.want) || strings.Contains(r.err.Error(), "s3cret") {
			t.Errorf("%s: got error %v, want %q and no arguments", test.program, r.err, test.want)
		}
	}
}

// The loop of the agent adds hooks and takes their results, so it must not wait for
// room in its own inbox.
func TestTooManyHooksAreDropped(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	defer a.quit()
	alert := hookAlert([]string{"x"}, "")
	a.rules = watch.Rules{alert.Rule}
	alerts := slices.Repeat([]watch.Alert{alert}, maxHooks)
	a.notifyAlerts(alerts) // its hooks do not run: nothing takes from the queue
	if a.problems.has("hooks") {
		t.Errorf("got problems %q for %d hooks", a.problems.texts(), maxHooks)
	}
	a.notifyAlerts(slices.Concat(alerts, alerts)) // more than the inbox holds
	if got := a.problems.texts(); len(got) != 1 || !strings.Contains(got[0], errHooksFull.Error()) {
		t.Errorf("got problems %q for hooks that were dropped", got)
	}
}

// A failure is shown until the same hook succeeds, or no watch has it any more.
func TestHookFailures(t *testing.T) {
	w := newWatchesTest(t)
	w.write("watches:\n  - ports: 80\n    run: [a]\n  - ports: 81-82\n    run: [b]\n")
	first, second := w.a.rules[0], w.a.rules[1]
	want := func(what string, failed bool, text string) {
		t.Helper()
		got := w.a.problems.texts()
		if strings.Join(got, "") == "" != (text == "") || len(got) > 1 || len(got) == 1 && !strings.Contains(got[0], text) {
			t.Errorf("%s: got problems %q, want %q", what, got, text)
		}
		if status := w.a.handleCommand(ipc.Message{Kind: ipc.Lookup}).Status; status.HookFailedAt.IsZero() == failed {
			t.Errorf("%s: got the time of a failure %v, want one: %t", what, status.HookFailedAt, failed)
		}
	}
	w.a.setHookResult(first, errors.New("exit status 3"))
	want("the first fails", true, "“80” failed: exit status 3")
	w.a.setHookResult(second, nil)
	want("another succeeds", true, "“80” failed: exit status 3")
	w.a.setHookResult(second, errors.New("exit status 4"))
	want("the second fails", true, "“81-82” failed: exit status 4")
	w.a.setHookResult(second, nil)
	want("the second succeeds", true, "“80” failed: exit status 3")
	w.write("watches:\n  - ports: 80\n")
	w.a.reloadSettings()
	want("its watch has no hook", false, "")
	w.a.setHookResult(first, errors.New("killed"))
	want("a late result", false, "")
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
}
