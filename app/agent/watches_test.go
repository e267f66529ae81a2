package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/app/ipc"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/history/store"
	"porthole/monitor/watch"
)

// useSettingsFile gives the agent a settings file in dir and returns its path.
func (a *Agent) useSettingsFile(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "settings.yaml")
	a.settingsFile = settings.Open(path)
	a.monitor = monitor.New(nil, nil, monitor.Options{Logger: a.log})
	a.history = store.Open(filepath.Join(dir, "history.db"), store.Options{Logger: a.log})
	t.Cleanup(a.history.Close)
	return path
}

func TestEditInTheWindowIsMergedWithTheFile(t *testing.T) {
	dir := t.TempDir()
	a, _ := newTestAgent(t, filepath.Join(dir, "pause.json"))
	defer a.quit()
	path := a.useSettingsFile(t, dir)
	const byHand = "watches:\n  - ports: 80 # mine\n    name: web\n  - ports: 90\n"
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	base := watch.Rules{}.WithPort(80).WithPort(81) // the window does not know the edit by hand
	a.WindowMessage(nil, ipc.Message{Kind: ipc.SetWatches, Base: base, Watches: base.Disable(base[0])})
	(<-a.inbox)()
	b, err := os.ReadFile(path)
	if want := "watches:\n  - ports: 80 # mine\n    name: web\n    off: true\n  - ports: 90\n"; err != nil || string(b) != want {
		t.Errorf("got file\n%serror %v; want\n%s", b, err, want)
	}
	if len(a.rules) != 2 || !a.rules[0].Off || !a.rules.WatchesPort(90) {
		t.Errorf("got rules %+v, want 80 off and 90", a.rules)
	}
}

func TestUnsavedEditsAreSavedOnceTheFileIsValid(t *testing.T) {
	dir := t.TempDir()
	a, _ := newTestAgent(t, filepath.Join(dir, "pause.json"))
	defer a.quit()
	path := a.useSettingsFile(t, dir)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a.reloadSettings()
	}
	want := func(what string, ports ...uint16) {
		t.Helper()
		for _, port := range ports {
			if !a.rules.WatchesPort(port) {
				t.Errorf("%s: %d is not watched by %+v", what, port, a.rules)
			}
		}
		if len(a.rules) != len(ports) {
			t.Errorf("%s: got rules %+v, want %v", what, a.rules, ports)
		}
	}
	write("watches:\n  - ports: 80\n")
	write("watches: oops\n")
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) })
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(82) })
	want("invalid file", 80, 81, 82)
	if len(a.problems) != 1 {
		t.Errorf("invalid file: got problems %q, want one", a.problems.texts())
	}
	write("watches:\n  - ports: 90\n")
	want("corrected file", 90, 81, 82)
	if len(a.problems) != 0 {
		t.Errorf("corrected file: got problems %q, want none", a.problems.texts())
	}
	write("version: 99\nwatches:\n  - ports: 70\n")
	a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(71) })
	want("newer file", 70, 71)
	write("version: 99\nwatches:\n  - ports: 60\n")
	want("edited newer file", 60, 71)
	if b, err := os.ReadFile(path); err != nil || strings.Contains(string(b), "71") {
		t.Errorf("newer file: got %q, error %v; want it unchanged", b, err)
	}
}
