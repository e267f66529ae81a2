package agent

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/app/link"
	"porthole/ui"
)

// keeping is an agent that keeps its window in path, with its log, as it is once
// it has started; known says that there was activity before.
func keeping(t *testing.T, path string, known bool) (*Agent, *bytes.Buffer) {
	t.Helper()
	a, _ := hubOf(t, filepath.Join(t.TempDir(), "pause.json"))
	t.Cleanup(a.quit)
	said := &bytes.Buffer{}
	a.log = slog.New(slog.NewTextHandler(said, nil))
	a.kept.path = path
	a.loadKept(known)
	return a, said
}

// leave is what a window says that closes, as the link hands it on.
func leave(t *testing.T, a *Agent, s ui.State) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	a.Said(nil, link.Message{Kind: link.Leaving, State: b})
	(<-a.inbox)()
}

// restored is what the agent tells the next window.
func restored(t *testing.T, a *Agent) ui.State {
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
	a, _ := keeping(t, path, false)
	left := ui.State{Width: 900, Height: 700, Tab: ui.PageActivity, Sort: "process", Down: true, Quick: "exposed", Grouped: true, Explained: true,
		Filter: "secret shop", Selected: "tcp-1"}
	left.Columns.Hidden, left.Columns.Widths = []string{"user"}, map[string]float32{"project": 222}
	leave(t, a, left)
	if got := restored(t, a); got.Filter != "secret shop" || got.Selected != "tcp-1" {
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

	next, said := keeping(t, path, true)
	got := restored(t, next)
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
	a, _ := keeping(t, path, false)
	a.quit()
	b, _ := json.Marshal(ui.State{Tab: ui.PageWatches})
	for range 200 { // more than the inbox takes
		a.Said(nil, link.Message{Kind: link.Leaving, State: b})
	}
	a.window.takeLeft()
	next, _ := keeping(t, path, true)
	if got := restored(t, next); got.Tab != ui.PageWatches {
		t.Errorf("kept %+v", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next.keepWindow(b)
	if _, err := os.Stat(path); err == nil {
		t.Error("what did not change is written again")
	}
}

func TestANewUserIsWelcomedUntilTheyGotIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window.json")
	for range 2 { // whoever looks away sees it again
		a, _ := keeping(t, path, false)
		if !a.status().Welcome {
			t.Fatal("a new user is not welcomed")
		}
		leave(t, a, ui.State{Tab: ui.PagePorts})
	}
	a, _ := keeping(t, path, true)
	if !a.status().Welcome {
		t.Error("the activity of the first run makes it none")
	}
	a.problems.set("tray", "no tray")
	if a.status().Welcome {
		t.Error("a tray is promised where there is none")
	}
	a.problems.set("tray", "")
	a.Said(nil, link.Message{Kind: link.Welcomed})
	(<-a.inbox)()
	if a.status().Welcome {
		t.Error("it stays")
	}
	for range 2 {
		a, _ = keeping(t, path, true)
		if a.status().Welcome || restored(t, a).Tab != ui.PagePorts {
			t.Errorf("at a later start: welcome %v, %+v", a.status().Welcome, restored(t, a))
		}
	}
	if a, _ := keeping(t, filepath.Join(t.TempDir(), "window.json"), true); a.status().Welcome {
		t.Error("who has activity is welcomed as new")
	}
}

func TestAFileThatCannotBeUsedIsPassedOver(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "{", "not ours": "[1]", "a wrong type": `{"version":1,"window":{"width":"wide"}}`, "a wild number": `{"version":1,"window":{"width":1e300}}`,
		"two": `{"version":1}{}`, "too long": `{"version":1,"welcome":true}` + strings.Repeat(" ", maxKept),
	} {
		path := filepath.Join(t.TempDir(), "window.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, said := keeping(t, path, false)
		if lines := strings.Count(said.String(), "\n"); lines != 1 || a.status().Welcome || a.window.state != nil {
			t.Errorf("%s: %d lines in the log, welcome %v, state %s; want one, and as at first", name, lines, a.status().Welcome, a.window.state)
		}
		leave(t, a, ui.State{Tab: ui.PageActivity})
		next, said := keeping(t, path, true)
		if restored(t, next).Tab != ui.PageActivity || said.Len() > 0 {
			t.Errorf("%s: it is not written anew: %+v, %q", name, restored(t, next), said)
		}
	}
}

func TestAFolderThatCannotBeWrittenCostsOneLine(t *testing.T) {
	for _, path := range []string{"/proc/no/window.json", filepath.Join(os.Args[0], "window.json")} { // no folder can be made; a file is no folder
		a, said := keeping(t, path, false)
		if a.status().Welcome {
			t.Errorf("%s: a welcome that comes at every start", path)
		}
		leave(t, a, ui.State{Tab: ui.PageActivity})
		leave(t, a, ui.State{Tab: ui.PageWatches})
		if restored(t, a).Tab != ui.PageWatches {
			t.Errorf("%s: the next window of this agent gets %+v", path, restored(t, a))
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
	a, said := keeping(t, path, false)
	if got := restored(t, a); got.Width != 800 || a.status().Welcome || !strings.Contains(said.String(), "newer") {
		t.Errorf("%+v, welcome %v, said %q", got, a.status().Welcome, said)
	}
	leave(t, a, ui.State{Tab: ui.PageActivity})
	if b, _ := os.ReadFile(path); string(b) != text {
		t.Errorf("it was written over: %s", b)
	}
}
