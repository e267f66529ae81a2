package agent

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/app/ipc"
	"porthole/ui"
)

// agentWithUIState is an agent that keeps its window in path, with its log, as it is once
// it has started; known says that there was activity before.
func agentWithUIState(t *testing.T, path string, known bool) (*Agent, *bytes.Buffer) {
	t.Helper()
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	t.Cleanup(a.quit)
	said := &bytes.Buffer{}
	a.log = slog.New(slog.NewTextHandler(said, nil))
	a.uiState.path = path
	a.loadUIState(known)
	return a, said
}

// closeWindow is what a window says that closes, as the link hands it on.
func closeWindow(t *testing.T, a *Agent, s ui.State) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	a.WindowMessage(nil, ipc.Message{Kind: ipc.Closing, State: b})
	(<-a.inbox)()
}

// restoredState is what the agent tells the next window.
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

func TestHowTheWindowWasLeftOutlivesTheAgent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "window.json")
	a, _ := agentWithUIState(t, path, false)
	left := ui.State{Width: 900, Height: 700, Tab: ui.PageHistory, Sort: "process", Down: true, Quick: "exposed", Grouped: true, Explained: true,
		Filter: "secret shop", Selected: "tcp-1"}
	left.Columns.Hidden, left.Columns.Widths = []string{"user"}, map[string]float32{"project": 222}
	closeWindow(t, a, left)
	if got := restoredState(t, a); got.Filter != "secret shop" || got.Selected != "tcp-1" {
		t.Errorf("the next window of the same agent gets %+v; want all of it", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v; want it for this user alone", info, err)
	}
	b, _ := os.ReadFile(path)
	if strings.Contains(string(b), "secret") || strings.Contains(string(b), "tcp-1") {
		t.Errorf("the file keeps what was typed or selected: %s", b)
	}

	next, said := agentWithUIState(t, path, true)
	got := restoredState(t, next)
	left.Filter, left.Selected = "", ""
	want, _ := json.Marshal(left)
	if have, _ := json.Marshal(got); string(have) != string(want) || said.Len() > 0 {
		t.Errorf("after a restart %s, said %q; want %s", have, said, want)
	}
}

// The hub of an agent that ends takes no functions any more: what the window says
// last is kept all the same, and what is the same is not written again.
func TestWhatTheWindowSaysLastIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	a, _ := agentWithUIState(t, path, false)
	a.quit()
	b, _ := json.Marshal(ui.State{Tab: ui.PageWatches})
	for range 200 { // more than the inbox takes
		a.WindowMessage(nil, ipc.Message{Kind: ipc.Closing, State: b})
	}
	a.window.takeClosingState()
	next, _ := agentWithUIState(t, path, true)
	if got := restoredState(t, next); got.Tab != ui.PageWatches {
		t.Errorf("kept %+v", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next.storeWindowState(b)
	if _, err := os.Stat(path); err == nil {
		t.Error("what did not change is written again")
	}
}

func TestANewUserIsWelcomedUntilTheyGotIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	for range 2 { // whoever looks away sees it again
		a, _ := agentWithUIState(t, path, false)
		if !a.status().Welcome {
			t.Fatal("a new user is not welcomed")
		}
		closeWindow(t, a, ui.State{Tab: ui.PagePorts})
	}
	a, _ := agentWithUIState(t, path, true)
	if !a.status().Welcome {
		t.Error("the activity of the first run makes it none")
	}
	a.problems.set("tray", "no tray")
	if a.status().Welcome {
		t.Error("a tray is promised where there is none")
	}
	a.problems.set("tray", "")
	a.WindowMessage(nil, ipc.Message{Kind: ipc.DismissWelcome})
	(<-a.inbox)()
	if a.status().Welcome {
		t.Error("it stays")
	}
	for range 2 {
		a, _ = agentWithUIState(t, path, true)
		if a.status().Welcome || restoredState(t, a).Tab != ui.PagePorts {
			t.Errorf("at a later start: welcome %v, %+v", a.status().Welcome, restoredState(t, a))
		}
	}
	if a, _ := agentWithUIState(t, filepath.Join(t.TempDir(), "window.json"), true); a.status().Welcome {
		t.Error("who has activity is welcomed as new")
	}
}

func TestAFileThatCannotBeUsedIsPassedOver(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "{", "not ours": "[1]", "a wrong type": `{"version":1,"window":{"width":"wide"}}`, "a wild number": `{"version":1,"window":{"width":1e300}}`,
		"two": `{"version":1}{}`, "too long": `{"version":1,"welcome":true}` + strings.Repeat(" ", maxUIState),
	} {
		path := filepath.Join(t.TempDir(), "window.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, said := agentWithUIState(t, path, false)
		if lines := strings.Count(said.String(), "\n"); lines != 1 || a.status().Welcome || a.window.state != nil {
			t.Errorf("%s: %d lines in the log, welcome %v, state %s; want one, and as at first", name, lines, a.status().Welcome, a.window.state)
		}
		closeWindow(t, a, ui.State{Tab: ui.PageHistory})
		next, said := agentWithUIState(t, path, true)
		if restoredState(t, next).Tab != ui.PageHistory || said.Len() > 0 {
			t.Errorf("%s: it is not written anew: %+v, %q", name, restoredState(t, next), said)
		}
	}
}

func TestAFolderThatCannotBeWrittenCostsOneLine(t *testing.T) {
	for _, path := range []string{"/proc/no/window.json", filepath.Join(os.Args[0], "window.json")} { // no folder can be made; a file is no folder
		a, said := agentWithUIState(t, path, false)
		if a.status().Welcome {
			t.Errorf("%s: a welcome that comes at every start", path)
		}
		closeWindow(t, a, ui.State{Tab: ui.PageHistory})
		closeWindow(t, a, ui.State{Tab: ui.PageWatches})
		if restoredState(t, a).Tab != ui.PageWatches {
			t.Errorf("%s: the next window of this agent gets %+v", path, restoredState(t, a))
		}
		if lines := strings.Count(said.String(), "will not outlive"); lines != 1 {
			t.Errorf("%s: said %d times:\n%s", path, lines, said)
		}
	}
}

func TestANewerFileIsReadAsFarAsItIsUnderstoodAndNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	text := `{"version":2,"window":{"width":800,"height":600,"tab":"plan9","sort":"colour","columns":{"widths":{"colour":3}},"wings":4},"more":[]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, said := agentWithUIState(t, path, false)
	if got := restoredState(t, a); got.Width != 800 || a.status().Welcome || !strings.Contains(said.String(), "newer") {
		t.Errorf("%+v, welcome %v, said %q", got, a.status().Welcome, said)
	}
	closeWindow(t, a, ui.State{Tab: ui.PageHistory})
	if b, _ := os.ReadFile(path); string(b) != text {
		t.Errorf("it was written over: %s", b)
	}
}
