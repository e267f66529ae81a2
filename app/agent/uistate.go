package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/natefinch/atomic"

	"porthole/app/settings"
	"porthole/ui"
)

// This file is what outlives the agent of its window: how it was left, and that a
// new user is to be welcomed.

const (
	uiStateVersion = 1        // grows when a key changes its meaning
	maxUIState     = 64 << 10 // more is nothing that we wrote
)

// uiState is window.json, beside the activity.
type uiState struct {
	Version int       `json:"version"`
	Welcome bool      `json:"welcome,omitempty"` // who uses Porthole for the first time has not said "Got it"
	Window  *ui.State `json:"window,omitempty"`
}

// uiStateFile keeps it. It belongs to hub's goroutine.
type uiStateFile struct {
	path    string
	state   uiState
	written []byte // what the file says; nil where that is not known
	newer   bool   // a newer Porthole wrote the file: it is not written over
	failed  bool   // it could not be written; said once
}

func uiStatePath() string { return filepath.Join(stateDir(), "window.json") }

// stateDir is the folder of what Porthole remembers.
func stateDir() string { return filepath.Dir(settings.HistoryPath()) }

// loadUIState goes on where the last run ended. known says that Porthole ran here
// before, which without a file tells an old user from a new one. A file that cannot be used is passed over: what it says can be done again with
// a few clicks.
func (a *Agent) loadUIState(known bool) {
	k := &a.uiState
	b, err := readUIState(k.path)
	if err == nil {
		err = json.Unmarshal(b, &k.state)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.state = uiState{Welcome: !known}
		a.saveUIState()                                // what is there at the next start makes nobody an old user
		k.state.Welcome = k.state.Welcome && !k.failed // it would come again and again
		return
	case err != nil:
		a.log.Warn("how the window was left cannot be told: it begins as at first", "file", k.path, "problem", err)
		k.state = uiState{}
		return
	case k.state.Version > uiStateVersion:
		a.log.Warn("a newer Porthole wrote how the window was left: it holds as far as it is understood, and is not written over", "file", k.path)
		k.newer = true
	}
	k.written = b
	if k.state.Window != nil {
		a.window.state, _ = json.Marshal(k.state.Window) // it was JSON
	}
}

// storeWindowState keeps how a window was left, but for what was of its moment and is
// nobody's business later: the filter and the selection.
func (a *Agent) storeWindowState(left json.RawMessage) {
	var s ui.State
	if json.Unmarshal(left, &s) != nil {
		return // of another build, say; the next window passes it over too
	}
	s.Filter, s.Selected = "", ""
	a.uiState.state.Window = &s
	a.saveUIState()
}

// dismissWelcome notes that a new user has read what there is to say.
func (a *Agent) dismissWelcome() {
	a.uiState.state.Welcome = false
	a.saveUIState()
	a.sendStatus()
}

// saveUIState writes the file where that says something else.
func (a *Agent) saveUIState() {
	k := &a.uiState
	k.state.Version = uiStateVersion
	b, err := json.Marshal(k.state)
	if err == nil && (k.newer || bytes.Equal(b, k.written)) {
		return
	}
	if err == nil {
		err = writePrivateFile(k.path, b)
	}
	if err == nil {
		k.written = b
	} else if !k.failed {
		a.log.Warn("how the window was left will not outlive this run", "problem", err)
	}
	k.failed = err != nil
}

func readUIState(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read how the window was left: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxUIState+1))
	if err != nil {
		return nil, fmt.Errorf("read how the window was left: %w", err)
	}
	if len(b) > maxUIState {
		return nil, fmt.Errorf("read how the window was left: more than %d bytes", maxUIState)
	}
	return b, nil
}

// writePrivateFile writes a file that this user alone may read, whole or not at all.
func writePrivateFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of %s: %w", filepath.Base(path), err)
	}
	if err := atomic.WriteFile(path, bytes.NewReader(b)); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
