package agent

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"porthole/app/ipc"
	"porthole/ui"
)

// agentWithUIState returns an agent that has loaded its UI state from path, and its log.
func agentWithUIState(t *testing.T, path string, hasHistory bool) (*Agent, *bytes.Buffer) {
	t.Helper()
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	t.Cleanup(a.quit)
	log := &bytes.Buffer{}
	a.log = slog.New(slog.NewTextHandler(log, nil))
	a.uiState.path = path
	a.loadUIState(hasHistory)
	return a, log
}

// closeWindow acts like a window with state s that closes.
func closeWindow(t *testing.T, a *Agent, s ui.State) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	a.WindowMessage(nil, ipc.Message{Kind: ipc.Closing, State: b})
	(<-a.inbox)()
}

// restoredState returns the state that the next window gets.
func restoredState(t *testing.T, a *Agent) ui.State {
	t.Helper()
	var s ui.State
	if a.window.state != nil {
		if err := json.Unmarshal(a.window.state, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestWindowStateSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "window.json")
	a, _ := agentWithUIState(t, path, false)
	state := ui.State{Width: 900, Height: 700, Tab: ui.PageHistory, Sort: "process", Down: true, Quick: "exposed", Group: "process", Explained: true,
		Filter: "secret shop", Selected: "tcp-1"}
	state.Columns.Hidden, state.Columns.Widths = []string{"user"}, map[string]float32{"project": 222}
	closeWindow(t, a, state)
	if got := restoredState(t, a); got.Filter != "secret shop" || got.Selected != "tcp-1" {
		t.Errorf("next window of the same agent: got %+v, want all of %+v", got, state)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got file %v, error %v; want mode 0600", info, err)
	}
	b, _ := os.ReadFile(path)
	if strings.Contains(string(b), "secret") || strings.Contains(string(b), "tcp-1") {
		t.Errorf("the file contains the filter or the selection: %s", b)
	}

	next, log := agentWithUIState(t, path, true)
	got := restoredState(t, next)
	state.Filter, state.Selected = "", ""
	want, _ := json.Marshal(state)
	if have, _ := json.Marshal(got); string(have) != string(want) || log.Len() > 0 {
		t.Errorf("after a restart: got %s, log %q; want %s", have, log, want)
	}
}

// While the agent ends, its loop runs no more functions, but the state of the
// window is saved.
// A window whose X server ends, as at a logout, cannot send its state any more.
func TestWindowStateIsSavedWhileTheWindowIsOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "window.json")
	a, _ := agentWithUIState(t, path, false)
	for _, state := range []string{`{"tab":"history","filter":"secret shop"}`, `broken`, ``} {
		a.WindowMessage(nil, ipc.Message{Kind: ipc.KeepState, State: json.RawMessage(state)})
		(<-a.inbox)()
		if got := restoredState(t, a); got.Tab != ui.PageHistory || got.Filter != "secret shop" {
			t.Errorf("after the state %q, the next window of the same agent: got %+v, want the History page and its filter", state, got)
		}
	}
	next, _ := agentWithUIState(t, path, true)
	if got := restoredState(t, next); got.Tab != ui.PageHistory || got.Filter != "" {
		t.Errorf("next start: got %+v, want the History page without its filter", got)
	}
}

func TestWindowStateIsSavedWhileTheAgentEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	a, _ := agentWithUIState(t, path, false)
	a.quit()
	b, _ := json.Marshal(ui.State{Tab: ui.PageWatches})
	for range 200 { // more than the inbox holds
		a.WindowMessage(nil, ipc.Message{Kind: ipc.Closing, State: b})
	}
	a.window.takeClosingState()
	next, _ := agentWithUIState(t, path, true)
	if got := restoredState(t, next); got.Tab != ui.PageWatches {
		t.Errorf("got %+v, want page %s", got, ui.PageWatches)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next.storeWindowState(b)
	if _, err := os.Stat(path); err == nil {
		t.Error("an unchanged state was written again")
	}
}

func TestWelcomeIsShownUntilDismissed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	for range 2 { // not dismissed: shown again
		a, _ := agentWithUIState(t, path, false)
		if !a.status().Welcome {
			t.Fatal("new user: got no welcome")
		}
		closeWindow(t, a, ui.State{Tab: ui.PagePorts})
	}
	a, _ := agentWithUIState(t, path, true)
	if !a.status().Welcome {
		t.Error("history of the first run: got no welcome")
	}
	a.problems.set("tray", "no tray")
	if s := a.status(); !s.Welcome || !s.NoTray {
		t.Errorf("no tray: got welcome %t, no tray %t; want a welcome that does not mention the tray", s.Welcome, s.NoTray)
	}
	a.problems.set("tray", "")
	a.WindowMessage(nil, ipc.Message{Kind: ipc.DismissWelcome})
	(<-a.inbox)()
	if a.status().Welcome {
		t.Error("dismissed: got a welcome")
	}
	for range 2 {
		a, _ = agentWithUIState(t, path, true)
		if a.status().Welcome || restoredState(t, a).Tab != ui.PagePorts {
			t.Errorf("later start: got welcome %t and state %+v, want none and page %s", a.status().Welcome, restoredState(t, a), ui.PagePorts)
		}
	}
	if a, _ := agentWithUIState(t, filepath.Join(t.TempDir(), "window.json"), true); a.status().Welcome {
		t.Error("user with history: got a welcome")
	}
}

// A language change replaces agent and window; the new window is where and as the old one was. What
// is private does not stay in the file.
func TestLanguageChangeKeepsTheWindow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	a, _ := agentWithUIState(t, path, true)
	a.handsOverWindow = true
	state := ui.State{Width: 900, Height: 700, Tab: ui.PageHistory, Filter: "secret shop", Selected: "tcp-1", Position: &ui.Position{X: 12, Y: 34}}
	closeWindow(t, a, state)
	next, _ := agentWithUIState(t, path, true)
	if got := restoredState(t, next); !reflect.DeepEqual(got, state) {
		t.Errorf("got %+v, want %+v", got, state)
	}
	if b, err := os.ReadFile(path); err != nil || strings.Contains(string(b), "secret") || strings.Contains(string(b), "tcp-1") || strings.Contains(string(b), "position") {
		t.Errorf("after the start: got the file %s, %v", b, err)
	}
	closeWindow(t, next, state)
	if later, _ := agentWithUIState(t, path, true); restoredState(t, later).Position != nil || restoredState(t, later).Filter != "" {
		t.Errorf("an ordinary start: got %+v, want no position and no filter", restoredState(t, later))
	}
}

func TestInvalidUIStateIsIgnored(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "truncated": "{", "array": "[1]", "wrong type": `{"version":1,"window":{"width":"wide"}}`, "huge number": `{"version":1,"window":{"width":1e300}}`,
		"two objects": `{"version":1}{}`, "too long": `{"version":1,"welcome":true}` + strings.Repeat(" ", maxUIState),
	} {
		path := filepath.Join(t.TempDir(), "window.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, log := agentWithUIState(t, path, false)
		if lines := strings.Count(log.String(), "\n"); lines != 1 || a.status().Welcome || a.window.state != nil {
			t.Errorf("%s: got %d log lines, welcome %t, state %s; want one line and defaults", name, lines, a.status().Welcome, a.window.state)
		}
		closeWindow(t, a, ui.State{Tab: ui.PageHistory})
		next, log := agentWithUIState(t, path, true)
		if restoredState(t, next).Tab != ui.PageHistory || log.Len() > 0 {
			t.Errorf("%s: the file was not replaced: got %+v, log %q", name, restoredState(t, next), log)
		}
	}
}

func TestUnwritableUIStateIsLoggedOnce(t *testing.T) {
	for _, path := range []string{"/proc/no/window.json", filepath.Join(os.Args[0], "window.json")} { // a directory that cannot be created; a file in place of a directory
		a, log := agentWithUIState(t, path, false)
		if a.status().Welcome {
			t.Errorf("%s: got a welcome, which would reappear at every start", path)
		}
		closeWindow(t, a, ui.State{Tab: ui.PageHistory})
		closeWindow(t, a, ui.State{Tab: ui.PageWatches})
		if restoredState(t, a).Tab != ui.PageWatches {
			t.Errorf("%s: next window of this agent: got %+v, want page %s", path, restoredState(t, a), ui.PageWatches)
		}
		if lines := strings.Count(log.String(), "can't save the window state"); lines != 1 {
			t.Errorf("%s: got %d log lines, want 1:\n%s", path, lines, log)
		}
	}
}

func TestNewerUIStateIsReadButNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	text := `{"version":2,"window":{"width":800,"height":600,"tab":"plan9","sort":"colour","columns":{"widths":{"colour":3}},"wings":4},"more":[]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, log := agentWithUIState(t, path, false)
	if got := restoredState(t, a); got.Width != 800 || a.status().Welcome || !strings.Contains(log.String(), "newer") {
		t.Errorf("got %+v, welcome %t, log %q; want width 800, no welcome and a warning", got, a.status().Welcome, log)
	}
	closeWindow(t, a, ui.State{Tab: ui.PageHistory})
	if b, _ := os.ReadFile(path); string(b) != text {
		t.Errorf("the file was overwritten: %s", b)
	}
}
