package monitor_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/service"
	"porthole/monitor/socket"
)

// This file has the child that runs a monitor, and what the tests do with it.

// report is the report of a watching child about an update. Sockets are named by address
// and port; those that no test opened are included.
type report struct {
	Opened, Closed []string        `json:",omitempty"`
	Rows           map[string]seen `json:",omitempty"` // the sockets of the listeners that changed; all if Whole
	Whole          bool            `json:",omitempty"` // the update has no events: the first one, or the monitor's health changed
	Count          int             // of sockets
	Ready          bool            // the first snapshot was taken
	Source         string          `json:",omitempty"`
	Problem        string          `json:",omitempty"`
	PollDuration   time.Duration   `json:",omitempty"`
	Done           string          `json:",omitempty"` // a command
}

type seen struct {
	Owners  []int  `json:",omitempty"`
	Unknown string `json:",omitempty"`
}

// playWatch runs a Monitor as the program does. Its arguments are commands to run before
// that, its input has further commands.
func playWatch() {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	send := func(r report) {
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(r); err != nil {
			child.Fail(err)
		}
	}
	gate := make(chan struct{}, 1) // has a token while the monitor may wait
	gate <- struct{}{}
	conditions := conditions{gate: gate, own: make(map[string]int)}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	run := func(command string) {
		if err := conditions.run(command); err != nil {
			child.Fail(fmt.Errorf("%s: %w", command, err))
		}
		send(report{Done: command})
	}
	for _, command := range os.Args[1:] {
		run(command)
	}
	commands := bufio.NewScanner(os.Stdin)
	table, err := socket.Open(log)
	for err != nil { // until there are resources again
		send(report{Problem: err.Error()})
		if !commands.Scan() {
			return
		}
		run(commands.Text())
		table, err = socket.Open(log)
	}
	m := monitor.New(gatedTable{table, gate}, owner.New(), monitor.Options{Enrich: enrich.New(), Describe: service.Describe, Logger: log})
	updates := m.Subscribe()
	go m.Run(context.Background())
	go func() {
		for range updates.C {
			if u, ok := updates.Take(); ok {
				send(reported(u))
			}
		}
	}()
	for commands.Scan() {
		run(commands.Text())
	}
	os.Exit(0)
}

func reported(u monitor.Update) report {
	r := report{Rows: make(map[string]seen), Whole: len(u.Events) == 0, Ready: u.Ready, Source: u.Health.Source, Problem: u.Health.Problem, PollDuration: u.Health.PollDuration}
	name := func(s monitor.HeldSocket, l *monitor.Listener) string {
		return netip.AddrPortFrom(s.Address, l.Port).String()
	}
	row := func(l *monitor.Listener) {
		for _, s := range l.Sockets {
			r.Rows[name(s, l)] = seen{Owners: s.Owners, Unknown: l.OwnerUnknown}
		}
	}
	for _, l := range u.Snapshot.Listeners {
		r.Count += len(l.Sockets)
		if len(u.Events) == 0 {
			row(l)
		}
	}
	for _, c := range u.Events {
		if c.Kind != monitor.Closed {
			row(c.Listener)
		}
	}
	ports := make(map[monitor.SocketID]*monitor.Listener)
	for _, c := range u.Events {
		for _, l := range []*monitor.Listener{c.Listener, c.Before} {
			if l != nil {
				for _, s := range l.Sockets {
					ports[s.ID] = l
				}
			}
		}
	}
	eachSocket(u.Events,
		func(s monitor.HeldSocket) { r.Opened = append(r.Opened, name(s, ports[s.ID])) },
		func(s monitor.HeldSocket) { r.Closed = append(r.Closed, name(s, ports[s.ID])) })
	return r
}

// gatedTable is a Table that blocks in Wait while its gate is closed.
type gatedTable struct {
	socket.Table
	gate chan struct{}
}

func (g gatedTable) WatchExits(pids []int) { watchExits(g.Table, pids) }

func (g gatedTable) Wait(d time.Duration, closed []monitor.SocketID) ([]monitor.SocketID, monitor.Hint) {
	<-g.gate
	g.gate <- struct{}{}
	return g.Table.Wait(d, closed)
}

// watcher is a child that runs playWatch, and its reports.
type watcher struct {
	child.Child
	*testing.T
	mu      sync.Mutex
	rows    map[string]seen // the last state of each socket
	opened  map[string]int  // number of events
	closed  map[string]int
	changed map[string]int // number of reports that changed the socket, or had an event of it
	last    report
	done    []string
	ended   bool
}

func watchFrom(t *testing.T, commands []string, change ...func(*exec.Cmd)) *watcher {
	t.Helper()
	w := &watcher{Child: begin(t, "watch", commands, change...), T: t, rows: make(map[string]seen),
		opened: make(map[string]int), closed: make(map[string]int), changed: make(map[string]int)}
	go func() {
		decoder := json.NewDecoder(w.Out)
		for {
			var r report
			err := decoder.Decode(&r)
			w.mu.Lock()
			if err != nil {
				w.ended = true
				w.mu.Unlock()
				return
			}
			w.note(r)
			w.mu.Unlock()
		}
	}()
	return w
}

func (w *watcher) note(r report) {
	if r.Done != "" {
		w.done = append(w.done, r.Done)
		return
	}
	w.last = r
	for name, row := range r.Rows {
		if !r.Whole || !reflect.DeepEqual(w.rows[name], row) { // a report of a failed poll repeats every row
			w.changed[name]++
		}
		w.rows[name] = row
	}
	for _, name := range r.Opened {
		w.opened[name]++
	}
	for _, name := range r.Closed {
		w.closed[name]++
		delete(w.rows, name)
	}
}

// source returns the source of the last report.
func (w *watcher) source() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Source
}

// until waits until ok returns true for the reports.
func (w *watcher) until(what string, ok func() bool) {
	w.Helper()
	await.Until(w.T, what, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ended {
			w.Fatalf("the child exited while waiting for %s", what)
		}
		return ok()
	})
}

// ready waits for the first snapshot.
func (w *watcher) ready() *watcher {
	w.Helper()
	w.until("the first snapshot", func() bool { return w.last.Ready })
	return w
}

// do makes the child run a command.
func (w *watcher) do(command string) {
	w.Helper()
	w.mu.Lock()
	before := len(w.done)
	w.mu.Unlock()
	if _, err := fmt.Fprintln(w.In, command); err != nil {
		w.Fatal(err)
	}
	w.until("the command "+command, func() bool { return len(w.done) > before })
}

// listed waits until the watcher lists these listeners with that owner; 0 means that the
// owner is unknown for that reason.
func (w *watcher) listed(pid int, reason string, listeners ...open) {
	w.Helper()
	for _, l := range listeners {
		var row seen
		var ok bool
		w.until(fmt.Sprintf("%v with owner %d, reason %q", l.address, pid, reason), func() bool {
			row, ok = w.rows[l.address.String()]
			if pid == 0 {
				return ok && len(row.Owners) == 0 && row.Unknown == reason
			}
			return ok && slices.Equal(row.Owners, []int{pid})
		})
	}
}

// gone waits until the listeners are reported as closed.
func (w *watcher) gone(listeners ...open) {
	w.Helper()
	for _, l := range listeners {
		w.until(fmt.Sprintf("the close of %v", l.address), func() bool { return w.closed[l.address.String()] > 0 })
	}
}

// want fails unless the listeners were reported as opened and closed that many times.
func (w *watcher) want(opened, closed int, listeners ...open) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		if o, c := w.opened[l.address.String()], w.closed[l.address.String()]; o != opened || c != closed {
			w.Errorf("%v: opened %d times and closed %d times, want %d and %d", l.address, o, c, opened, closed)
		}
	}
}

// openSome opens the listeners in the child: a process in a user namespace may not read
// processes outside.
func (w *watcher) openSome(n int) []open {
	w.Helper()
	var all []open
	for range n {
		address := nextAddress()
		w.do("listen " + address.String())
		all = append(all, open{address, -1, func() { w.do("close " + address.String()) }})
	}
	return all
}

// changes returns the number of reports with these listeners.
func (w *watcher) changes(of []open) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range of {
		n += w.changed[o.address.String()]
	}
	return n
}

// stable fails if listeners were reported more often than twice: when they opened, and when
// the owner was found.
func (w *watcher) stable(listeners ...open) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range listeners {
		if n := w.changed[l.address.String()]; n > 2 {
			w.Errorf("%v: got %d reports, want 1 or 2", l.address, n)
		}
	}
}

// pollDuration returns the median duration of some polls.
func (w *watcher) pollDuration() time.Duration {
	w.Helper()
	var costs []time.Duration
	for _, o := range openSome(w.T, 9) {
		w.listed(os.Getpid(), "", o)
		w.mu.Lock()
		costs = append(costs, w.last.PollDuration)
		w.mu.Unlock()
		o.close()
		w.gone(o)
	}
	slices.Sort(costs)
	return costs[len(costs)/2]
}
