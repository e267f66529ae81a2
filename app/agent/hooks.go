package agent

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/app/notify"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// Limits of hooks.
const (
	maxHooks    = 64 // alerts that wait for their hooks
	hookTimeout = 30 * time.Second
)

// hooks runs the commands of watches and posts to their URLs: one after another,
// on a goroutine of its own.
type hooks struct {
	queue    chan watch.Alert
	onResult func(rule watch.Rule, err error) // called on that goroutine
	timeout  time.Duration
	client   *http.Client
}

func newHooks(onResult func(watch.Rule, error)) *hooks {
	// Connections are not kept: posts are rare, and the idle ones would outlive run.
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	return &hooks{queue: make(chan watch.Alert, maxHooks), onResult: onResult, timeout: hookTimeout, client: client}
}

// errHooksFull is the result of a hook that found no room.
var errHooksFull = errors.New("too many events are waiting for earlier ones")

// add queues the hooks of alerts. It does not block, and returns the alerts that
// found no room.
func (h *hooks) add(alerts []watch.Alert) (dropped []watch.Alert) {
	for _, a := range alerts {
		if !a.Rule.HasHook() {
			continue
		}
		select {
		case h.queue <- a:
		default:
			dropped = append(dropped, a)
		}
	}
	return dropped
}

// run runs hooks until ctx ends.
func (h *hooks) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-h.queue:
			err := errors.Join(h.command(ctx, a), h.post(ctx, a))
			if ctx.Err() == nil {
				h.onResult(a.Rule, err)
			}
		}
	}
}

// hookEvent is what a hook gets to know about an alert: the body of a POST, and
// the environment of a command.
type hookEvent struct {
	Event        watch.Kind     `json:"event"`
	State        string         `json:"state"` // "open" or "closed", after the event
	At           time.Time      `json:"at"`
	Watch        string         `json:"watch"`
	Port         uint16         `json:"port"`
	Protocol     string         `json:"protocol"`
	Exposure     string         `json:"exposure"`
	Addresses    []string       `json:"addresses"`
	PID          int            `json:"pid,omitempty"`
	Process      string         `json:"process,omitempty"`
	Command      string         `json:"command,omitempty"` // without secrets
	Project      string         `json:"project,omitempty"`
	User         string         `json:"user,omitempty"`
	Client       monitor.Client `json:"client,omitzero"`  // of the event "connected"
	Health       *healthHook    `json:"health,omitempty"` // of the events "unhealthy" and "healthy"
	monitor.Exit                // how the owner of the closed listener ended, if that is known
}

// healthHook is the answer to a health check, with one English clause about it.
type healthHook struct {
	monitor.HealthAnswer
	Text string `json:"text"`
}

func newHookEvent(a watch.Alert) hookEvent {
	l := a.Listener
	e := hookEvent{Event: a.Kind, State: "open", At: a.At, Watch: hookName(a.Rule), Port: l.Port, Protocol: string(cmp.Or(l.Protocol, monitor.TCP)),
		Exposure: string(l.Exposure), Addresses: []string{}, Project: monitor.Clean(l.Project, 200), User: monitor.Clean(l.User, 100), Client: a.Client.Clean(60), Exit: a.Exit}
	if a.Kind == watch.Closed || a.Kind == watch.Crashed || a.Kind == watch.Attempted || a.NowClosed {
		e.State = "closed"
	}
	if !a.Health.IsZero() {
		e.Health = &healthHook{a.Health, a.Health.Sentence().String()}
	}
	for _, address := range l.Addresses {
		e.Addresses = append(e.Addresses, address.String())
	}
	if o, ok := l.Principal(); ok {
		e.PID, e.Process = o.PID, monitor.Clean(o.Name, 100)
		e.Command = monitor.Clean(strings.Join(monitor.RedactCommand(o.Command), " "), 1000)
	}
	return e
}

// hookName names a rule with a hook: the user's name, its ports or its pattern.
func hookName(rule watch.Rule) string { return cmp.Or(notify.RuleName(rule), rule.PortsText()) }

// environment returns e as environment variables.
func (e hookEvent) environment() []string {
	pid := ""
	if e.PID != 0 {
		pid = strconv.Itoa(e.PID)
	}
	status := ""
	if e.Exit.Status != nil {
		status = strconv.Itoa(*e.Exit.Status)
	}
	health := ""
	if e.Health != nil {
		health = e.Health.Text
	}
	return []string{"PORTHOLE_EVENT=" + string(e.Event), "PORTHOLE_STATE=" + e.State, "PORTHOLE_AT=" + e.At.Format(time.RFC3339), "PORTHOLE_WATCH=" + e.Watch,
		"PORTHOLE_PORT=" + strconv.Itoa(int(e.Port)), "PORTHOLE_PROTOCOL=" + e.Protocol, "PORTHOLE_EXPOSURE=" + e.Exposure,
		"PORTHOLE_ADDRESSES=" + strings.Join(e.Addresses, " "), "PORTHOLE_PID=" + pid, "PORTHOLE_PROCESS=" + e.Process,
		"PORTHOLE_COMMAND=" + e.Command, "PORTHOLE_PROJECT=" + e.Project, "PORTHOLE_USER=" + e.User, "PORTHOLE_CLIENT=" + e.Client.Text(),
		"PORTHOLE_EXIT_STATUS=" + status, "PORTHOLE_SIGNAL=" + e.Exit.Signal, "PORTHOLE_HEALTH=" + health}
}

// command runs the command of the alert's rule, without a shell. Errors do not
// contain its arguments, which may be secret.
func (h *hooks) command(ctx context.Context, a watch.Alert) error {
	if len(a.Rule.Run) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	name := a.Rule.Run[0]
	c := exec.CommandContext(ctx, name, a.Rule.Run[1:]...)
	c.Env = append(os.Environ(), newHookEvent(a).environment()...)
	c.SysProcAttr = ownProcessGroup()
	c.Cancel = func() error { return killProcessGroup(c.Process) }
	c.WaitDelay = time.Second
	err := c.Run()
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%s did not end within %v and was killed", filepath.Base(name), h.timeout)
	case err != nil:
		return fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	return nil
}

// post posts the alert as JSON to the URL of its rule. Errors contain only the
// host of the URL.
func (h *hooks) post(ctx context.Context, a watch.Alert) error {
	if a.Rule.Post == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	target, err := url.Parse(a.Rule.Post)
	if err != nil {
		return errors.New("post: the URL is invalid") // err contains it
	}
	host := target.Hostname()
	body, err := json.Marshal(newHookEvent(a))
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Rule.Post, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post to %s: the URL is invalid", host)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := h.client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the URL
	}
	if err != nil {
		return fmt.Errorf("post to %s: %w", host, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("post to %s: the server answers %s", host, answer.Status)
	}
	return nil
}

// hookFailure is the last result of a hook that failed.
type hookFailure struct {
	rule watch.Rule
	at   time.Time
	err  error
}

// reportHook reports the result of a hook. It is called on the goroutine of the hooks.
func (a *Agent) reportHook(rule watch.Rule, err error) {
	a.do(func() { a.setHookResult(rule, err) })
}

// setHookResult reports a failure of a hook in the window, the log and doctor, until
// the hook succeeds or no watch has it any more.
func (a *Agent) setHookResult(rule watch.Rule, err error) {
	if err != nil {
		a.log.Warn("the hook of a watch failed", "watch", hookName(rule), "error", err)
	}
	a.hookFailures = slices.DeleteFunc(a.hookFailures, func(f hookFailure) bool { return f.rule.SameHook(rule) })
	if err != nil && containsHook(a.rules, rule) {
		a.hookFailures = append(a.hookFailures, hookFailure{rule, time.Now(), err})
	}
	if a.showHookFailure() {
		a.sendStatus()
	}
}

// dropHookFailures forgets the failures of hooks that no watch has any more.
func (a *Agent) dropHookFailures() {
	a.hookFailures = slices.DeleteFunc(a.hookFailures, func(f hookFailure) bool { return !containsHook(a.rules, f.rule) })
	a.showHookFailure()
}

// showHookFailure sets the problem of the latest failure, and reports whether it has
// changed.
func (a *Agent) showHookFailure() bool {
	text := ""
	if n := len(a.hookFailures); n > 0 {
		text = hookProblem(a.hookFailures[n-1].rule, a.hookFailures[n-1].err)
	}
	return a.problems.set("hooks", text)
}

// hookFailedAt returns the time of the latest failure of a hook, the zero time if
// the last run of each succeeded.
func (a *Agent) hookFailedAt() time.Time {
	if n := len(a.hookFailures); n > 0 {
		return a.hookFailures[n-1].at
	}
	return time.Time{}
}

// withKnownHooks returns rules without commands and URLs that were never in the
// settings file while this agent ran: only its author may set them.
func (a *Agent) withKnownHooks(rules watch.Rules) watch.Rules {
	var known watch.Rules
	for _, rule := range rules {
		if rule.HasHook() && !containsHook(a.fileHooks, rule) {
			rule.Run, rule.Post = nil, ""
		}
		known = append(known, rule)
	}
	return known
}

// rememberHooks records the hooks in the settings file.
func (a *Agent) rememberHooks(rules watch.Rules) {
	for _, rule := range rules {
		if rule.HasHook() && !containsHook(a.fileHooks, rule) {
			a.fileHooks = append(a.fileHooks, rule)
		}
	}
}

func containsHook(rules watch.Rules, rule watch.Rule) bool {
	for _, other := range rules {
		if other.SameHook(rule) {
			return true
		}
	}
	return false
}
