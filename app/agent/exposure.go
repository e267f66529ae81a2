package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/socket"
	"porthole/monitor/watch"
)

const (
	learningTime = 24 * time.Hour // what is exposed during the first day is familiar
	realertTime  = time.Hour      // between alerts about the same server
	maxFamiliar  = 2000           // the oldest are forgotten
)

// exposure finds listeners that are newly exposed to the network, regardless of
// watches. It learns what is familiar during its first day and from the user. It
// is owned by the goroutine of loop.
type exposure struct {
	path      string
	on        bool
	ephemeral monitor.Ports
	state     exposureState
	unsaved   bool                     // state has changed
	alerted   map[string]time.Time     // by identity
	pending   map[string]monitor.Event // exposed listeners whose owner is being searched, by ID
}

// exposureState is the content of exposed.json in the state directory.
type exposureState struct {
	LearnUntil time.Time `json:"learn_until"`
	Familiar   []string  `json:"familiar"` // see identity; the oldest first
}

func exposurePath() string { return filepath.Join(paths.State(), "exposed.json") }

func newExposure(path string) exposure {
	ephemeral, _ := socket.EphemeralPorts()
	return exposure{path: path, ephemeral: ephemeral, alerted: map[string]time.Time{}, pending: map[string]monitor.Event{}}
}

// turn switches it on or off. The first time it is on, the first day begins. It returns
// the alerts about what is exposed in s, which was not checked while it was off.
func (x *exposure) turn(on bool, now time.Time, s monitor.Snapshot, log *slog.Logger) []watch.Alert {
	if on == x.on {
		return nil
	}
	x.on = on
	if !on {
		clear(x.pending)
		return nil
	}
	x.load(now, log)
	alerts := x.handle(now, discovered(s, now), nil)
	x.saveNew(log)
	return alerts
}

// discovered returns an event for each listener in s.
func discovered(s monitor.Snapshot, now time.Time) (events []monitor.Event) {
	for _, l := range s.Listeners {
		events = append(events, monitor.Event{Kind: monitor.Discovered, At: now, Listener: l})
	}
	return events
}

// load reads the state, or begins the first day if there is none.
func (x *exposure) load(now time.Time, log *slog.Logger) {
	b, err := os.ReadFile(x.path)
	if err == nil {
		err = json.Unmarshal(b, &x.state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("can't read what is exposed normally; learning it again", "error", err)
	}
	if err != nil {
		x.state = exposureState{LearnUntil: now.Add(learningTime).Round(0)}
		x.save(log)
	}
}

// handle returns alerts about listeners in events that are exposed and not
// familiar. reported are the alerts of watches, which need no second one.
func (x *exposure) handle(now time.Time, events []monitor.Event, reported []watch.Alert) (alerts []watch.Alert) {
	if !x.on {
		return nil
	}
	if len(x.alerted) > maxFamiliar {
		clear(x.alerted)
	}
	for _, e := range events {
		if e.Before != nil {
			if waiting, ok := x.pending[e.Before.ID]; ok {
				delete(x.pending, e.Before.ID)
				waiting.Listener = e.Listener
				e = waiting
			}
		}
		delete(x.pending, e.Listener.ID)
		switch {
		case !e.Listener.Exposure.IsExposed():
		case e.Kind != monitor.Opened && e.Kind != monitor.Discovered && e.Kind != monitor.ExposureChanged && e.Kind != monitor.OwnerChanged:
		case !watch.OwnerSettled(e.Listener):
			x.pending[e.Listener.ID] = e
		default:
			alerts = append(alerts, x.check(now, e, reported)...)
		}
	}
	return alerts
}

// check returns an alert about an exposed listener unless it is familiar.
func (x *exposure) check(now time.Time, e monitor.Event, reported []watch.Alert) []watch.Alert {
	l := e.Listener
	id := x.identity(l)
	switch {
	case l.Protocol == monitor.UDP && x.ephemeral.Contains(l.Port): // a client's
	case slices.Contains(x.state.Familiar, id):
	case now.Before(x.state.LearnUntil):
		x.learn(id)
	case slices.ContainsFunc(reported, func(a watch.Alert) bool {
		return a.Listener.ID == l.ID && a.Kind != watch.Closed && a.Kind != watch.Crashed
	}):
	case now.Sub(x.alerted[id]) < realertTime:
	default:
		x.alerted[id] = now
		return []watch.Alert{{Kind: watch.NewlyExposed, At: e.At, Listener: l, Before: e.Before}}
	}
	return nil
}

// identity identifies a server across restarts: protocol, port, user, and
// program or unit or container, and whether it is public. A port that the system assigned is not part of it.
func (x *exposure) identity(l *monitor.Listener) string {
	port := strconv.Itoa(int(l.Port))
	if x.ephemeral.Contains(l.Port) {
		port = "ephemeral"
	}
	who := []string{l.Unit}
	if l.Container != nil {
		who = append(who, l.Container.Name)
	}
	if o, ok := l.Principal(); ok {
		who = append(who, o.Program, o.Folder)
	}
	if l.Exposure == monitor.ExposurePublic { // that the network may reach it says nothing about the internet
		who = append(who, string(l.Exposure))
	}
	return strings.Join(append([]string{string(l.Protocol), port, l.User}, who...), "|")
}

func (x *exposure) learn(id string) {
	x.state.Familiar = append(x.state.Familiar, id)
	x.state.Familiar = slices.Clone(x.state.Familiar[max(0, len(x.state.Familiar)-maxFamiliar):])
	x.unsaved = true
}

// accept makes listeners familiar.
func (x *exposure) accept(listeners []*monitor.Listener, log *slog.Logger) {
	for _, l := range listeners {
		if id := x.identity(l); !slices.Contains(x.state.Familiar, id) {
			x.learn(id)
		}
	}
	x.saveNew(log)
}

// acceptExposed makes the listener with that ID familiar if it is still open.
func (a *Agent) acceptExposed(id string) {
	for _, l := range a.update.Snapshot.Listeners {
		if l.ID == id {
			a.exposure.accept([]*monitor.Listener{l}, a.log)
			return
		}
	}
}

// saveNew saves what was learned since the last time.
func (x *exposure) saveNew(log *slog.Logger) {
	if x.unsaved {
		x.save(log)
	}
}

func (x *exposure) save(log *slog.Logger) {
	x.unsaved = false
	b, err := json.Marshal(x.state)
	if err == nil {
		err = writePrivateFile(x.path, b)
	}
	if err != nil {
		log.Warn("can't save what is exposed normally", "error", fmt.Errorf("write %s: %w", filepath.Base(x.path), err))
	}
}
