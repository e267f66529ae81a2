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
	"time"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/watch"
)

// maxKnownClients is the number of clients that are remembered for each watch; the oldest
// are forgotten.
const maxKnownClients = 500

// knownClients are the clients that each watch has seen, for notifications about the first
// connection of a client. They are kept in clients.json in the state directory. It is owned
// by the goroutine of loop.
type knownClients struct {
	path   string
	loaded bool
	known  map[string][]string // keys of clients by the subject of a watch, the oldest first
}

func clientsPath() string { return filepath.Join(paths.State(), "clients.json") }

// add records a client of a watch, and reports whether it is new.
func (k *knownClients) add(rule watch.Rule, client string, log *slog.Logger) bool {
	k.load(log)
	subject := rule.PortsText() + " " + rule.Match.String()
	known := k.known[subject]
	if slices.Contains(known, client) {
		return false
	}
	known = append(known, client)
	k.known[subject] = slices.Clone(known[max(0, len(known)-maxKnownClients):])
	return true
}

// load reads the file once. Without a file no client is known.
func (k *knownClients) load(log *slog.Logger) {
	if k.loaded {
		return
	}
	k.loaded, k.known = true, map[string][]string{}
	b, err := os.ReadFile(k.path)
	if err == nil {
		err = json.Unmarshal(b, &k.known)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("can't read which clients are known; their next connections count as the first", "error", err)
	}
	if k.known == nil { // the file has "null"
		k.known = map[string][]string{}
	}
}

func (k *knownClients) save(log *slog.Logger) {
	b, err := json.Marshal(k.known)
	if err == nil {
		err = writePrivateFile(k.path, b)
	}
	if err != nil {
		log.Warn("can't save which clients are known", "error", fmt.Errorf("write %s: %w", filepath.Base(k.path), err))
	}
}

// handleClients notifies about clients that connected to watched ports for the first time,
// and stores that in the history, if a watch asks for it.
func (a *Agent) handleClients(added []connection.NewVisitor) {
	now, changed := time.Now(), false
	for _, v := range added {
		l := a.listenerByID(v.Listener)
		if l == nil {
			continue // it has closed
		}
		var first *watch.Rule
		for _, rule := range a.effectiveRules().Active() {
			if rule.NotifiesOn(watch.OnConnect) && rule.Matches(l) && a.clients.add(rule, v.Key(), a.log) && first == nil {
				first = &rule
			}
		}
		if first == nil {
			continue
		}
		changed = true
		a.store(monitor.Event{At: now, Kind: monitor.Connected, Listener: l, Client: v.Client()})
		a.notifyAlerts(a.watcher.Connected(now, l, *first, v.Client()))
	}
	if changed {
		a.clients.save(a.log)
	}
}

// listenerByID returns the open listener with this ID, nil if there is none.
func (a *Agent) listenerByID(id string) *monitor.Listener {
	for _, l := range a.update.Snapshot.Listeners {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// identifiesClients reports whether a watch asks for new clients.
func (a *Agent) identifiesClients() bool {
	return slices.ContainsFunc(a.effectiveRules().Active(), func(rule watch.Rule) bool {
		return rule.NotifiesOn(watch.OnConnect) && len(rule.Listeners(a.update.Snapshot)) > 0
	})
}
