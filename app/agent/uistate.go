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

	"porthole/app/paths"
	"porthole/ui"
)

const (
	uiStateVersion = 1        // increased when a key changes its meaning
	maxUIState     = 64 << 10 // bytes; longer files are not ours
)

// uiState is the content of window.json in the state directory.
type uiState struct {
	Version int       `json:"version"`
	Welcome bool      `json:"welcome,omitempty"` // show the welcome text: a new user has not dismissed it
	Window  *ui.State `json:"window,omitempty"`
}

// uiStateFile reads and writes uiState. It belongs to the goroutine of loop.
type uiStateFile struct {
	path    string
	state   uiState
	written []byte // content of the file; nil if unknown
	newer   bool   // written by a newer Porthole: do not overwrite it
	failed  bool   // the last write failed; used to log it only once
}

func uiStatePath() string { return filepath.Join(paths.State(), "window.json") }

// loadUIState loads the state of the last run. hasHistory means that Porthole ran
// before: without the file and without history, the user is new. Files that cannot
// be used are ignored; a few clicks restore what they contained.
func (a *Agent) loadUIState(hasHistory bool) {
	f := &a.uiState
	b, err := readUIState(f.path)
	if err == nil {
		err = json.Unmarshal(b, &f.state)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.state = uiState{Welcome: !hasHistory}
		a.saveUIState()                                // the next start finds history although the user is still new
		f.state.Welcome = f.state.Welcome && !f.failed // otherwise the welcome would reappear at every start
		return
	case err != nil:
		a.log.Warn("can't read the window state; using defaults", "file", f.path, "error", err)
		f.state = uiState{}
		return
	case f.state.Version > uiStateVersion:
		a.log.Warn("the window state was written by a newer version of Porthole: unknown parts are ignored, and it is not overwritten", "file", f.path)
		f.newer = true
	}
	f.written = b
	if f.state.Window != nil {
		a.window.state, _ = json.Marshal(f.state.Window) // it was decoded from JSON
		lasting := f.state.Window.Lasting()
		f.state.Window = &lasting
		a.saveUIState() // the rest was for this start
	}
}

// storeWindowState saves the state of a closing window. The filter and the selection
// are temporary and private, so only a window that takes its place gets them, and the
// position.
func (a *Agent) storeWindowState(state json.RawMessage) {
	var s ui.State
	if json.Unmarshal(state, &s) != nil {
		return // for example from another build; the next window ignores it too
	}
	if !a.handsOverWindow {
		s = s.Lasting()
	}
	a.uiState.state.Window = &s
	a.saveUIState()
}

// dismissWelcome saves that the user has closed the welcome text.
func (a *Agent) dismissWelcome() {
	a.uiState.state.Welcome = false
	a.saveUIState()
	a.sendStatus()
}

// saveUIState writes the file if its content has changed.
func (a *Agent) saveUIState() {
	f := &a.uiState
	f.state.Version = uiStateVersion
	b, err := json.Marshal(f.state)
	if err == nil && (f.newer || bytes.Equal(b, f.written)) {
		return
	}
	if err == nil {
		err = writePrivateFile(f.path, b)
	}
	if err == nil {
		f.written = b
	} else if !f.failed {
		a.log.Warn("can't save the window state", "error", err)
	}
	f.failed = err != nil
}

func readUIState(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the window state: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxUIState+1))
	if err != nil {
		return nil, fmt.Errorf("read the window state: %w", err)
	}
	if len(b) > maxUIState {
		return nil, fmt.Errorf("read the window state: the file is longer than %d bytes", maxUIState)
	}
	return b, nil
}

// writePrivateFile writes a file atomically that only this user can read.
func writePrivateFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the directory of %s: %w", filepath.Base(path), err)
	}
	if err := atomic.WriteFile(path, bytes.NewReader(b)); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
