package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"porthole/app/ipc"
	"porthole/app/notify"
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
	off := slices.Clone(base)
	off[0].Off = true
	a.WindowMessage(nil, ipc.Message{Kind: ipc.SetWatches, Base: base, Watches: off})
	(<-a.inbox)()
	b, err := os.ReadFile(path)
	if want := "watches:\n  - ports: 80 # mine\n    name: web\n    off: true\n  - ports: 90\n"; err != nil || string(b) != want {
		t.Errorf("got file\n%serror %v; want\n%s", b, err, want)
	}
	if len(a.rules) != 2 || !a.rules[0].Off || !a.rules.WatchesPort(90) {
		t.Errorf("got rules %+v, want 80 off and 90", a.rules)
	}
}

// watchesTest is an agent with a settings file that the test edits.
type watchesTest struct {
	*testing.T
	a    *Agent
	path string
}

func newWatchesTest(t *testing.T) watchesTest {
	t.Helper()
	dir := t.TempDir()
	a, _ := newTestAgent(t, filepath.Join(dir, "pause.json"))
	t.Cleanup(a.quit)
	return watchesTest{t, a, a.useSettingsFile(t, dir)}
}

// write edits the file by hand.
func (w watchesTest) write(text string) {
	w.Helper()
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	w.a.reloadSettings()
}

func (w watchesTest) watch(port uint16) {
	w.a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(port) })
}

// want fails unless exactly these ports are watched and there are as many problems.
func (w watchesTest) want(what string, problems int, ports ...uint16) {
	w.Helper()
	for _, port := range ports {
		if !w.a.rules.WatchesPort(port) {
			w.Errorf("%s: %d is not watched by %+v", what, port, w.a.rules)
		}
	}
	if len(w.a.rules) != len(ports) {
		w.Errorf("%s: got rules %+v, want %v", what, w.a.rules, ports)
	}
	if got := w.a.problems.texts(); len(got) != problems {
		w.Errorf("%s: got problems %q, want %d", what, got, problems)
	}
}

func (w watchesTest) wantFile(want string) {
	w.Helper()
	if b, err := os.ReadFile(w.path); err != nil || string(b) != want {
		w.Errorf("got file\n%s\nerror %v; want\n%s", b, err, want)
	}
}

// A change that could not be saved is never applied over a file that was repaired
// by hand since.
func TestUnsavedEditsAreNotAppliedToARepairedFile(t *testing.T) {
	w := newWatchesTest(t)
	w.write("watches:\n  - ports: 80\n  - ports: 3000\n")
	w.write("watches: oops\n")
	w.a.changeWatches(func(r watch.Rules) watch.Rules { return r.WithoutPort(3000) })
	w.watch(81)
	w.want("invalid file", 1, 80, 81)
	const repaired = "watches:\n  - ports: 80\n\n  # the shop\n  - ports: 3000\n    name: shop\n"
	w.write(repaired)
	w.wantFile(repaired)
	w.want("repaired file", 1, 80, 3000) // the problem is that the changes were dropped
	w.watch(82)
	w.wantFile(repaired + "  - ports: 82\n")
	w.want("next change", 0, 80, 3000, 82)

	// The next change comes before the repair was noticed.
	w.write("watches: oops\n")
	w.watch(83)
	if err := os.WriteFile(w.path, []byte(repaired), 0o600); err != nil {
		t.Fatal(err)
	}
	w.watch(84)
	w.wantFile(repaired + "  - ports: 84\n")
	w.want("change after an unnoticed repair", 1, 80, 3000, 84)

	w.write("version: 99\nwatches:\n  - ports: 70\n")
	w.watch(71)
	w.want("newer file", 1, 70, 71)
	const edited = "version: 99\nwatches:\n  - ports: 60\n"
	w.write(edited)
	w.wantFile(edited)
	w.want("edited newer file", 2, 60)
}

// A change that could not be written, for example because the disk was full, is
// written once that is possible.
func TestUnsavedEditsAreSavedIfTheFileIsUnchanged(t *testing.T) {
	w := newWatchesTest(t)
	if err := os.Symlink("/proc/none/settings.yaml", w.path); err != nil { // nothing can be created there
		t.Fatal(err)
	}
	w.watch(81)
	w.watch(82)
	w.want("unwritable file", 1, 62893, 81, 82)
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	w.a.reloadSettings()
	w.want("writable file", 0, 62893, 81, 82)
	if b, err := os.ReadFile(w.path); err != nil || !strings.Contains(string(b), "82") {
		t.Errorf("got file %q, error %v; want the changes in it", b, err)
	}
}

// "Stop watching" in a notification about one of many ports of a rule excludes
// that port only. Undo restores the file.
func TestStopWatchingExcludesThePortOfTheNotification(t *testing.T) {
	w := newWatchesTest(t)
	const file = "watches:\n  - ports: 40001-40008 # frontends\n    name: compose\n  - ports: 62893\n"
	w.write(file)
	act := func(action notify.Action, port uint16) {
		l := testListener()
		l.Port = port
		n := notify.Notification{Listener: l, Rule: w.a.rules[0]}
		if port == 62893 {
			n.Rule = w.a.rules[1]
		}
		w.a.handleAction(notify.Click{Action: action, Notification: n})
		(<-w.a.inbox)()
	}
	act(notify.StopWatching, 40005)
	w.wantFile("watches:\n  - ports: 40001-40008, -40005 # frontends\n    name: compose\n  - ports: 62893\n")
	act(notify.Undo, 0)
	w.wantFile(file)
	act(notify.Undo, 0)
	w.wantFile(file)
	act(notify.StopWatching, 62893)
	w.wantFile(file + "    off: true\n")
	w.watch(80) // Undo keeps later changes
	act(notify.Undo, 0)
	w.wantFile(file + "  - ports: 80\n")
}

// The report about dropped changes is over; the user can dismiss it. Others go on.
func TestReportAboutDroppedEditsIsDismissed(t *testing.T) {
	w := newWatchesTest(t)
	w.write("watches: oops\n")
	w.watch(81)
	if w.a.status().CanDismiss {
		t.Error("a broken settings file can be dismissed")
	}
	w.write("watches:\n  - ports: 80\n")
	if !w.a.status().CanDismiss {
		t.Error("the report about dropped changes can't be dismissed")
	}
	w.a.WindowMessage(nil, ipc.Message{Kind: ipc.DismissProblems})
	(<-w.a.inbox)()
	w.want("dismissed", 0, 80)
	if w.a.status().CanDismiss {
		t.Error("dismissed: there is still something to dismiss")
	}
}

// A watch without events or urgency has those of the settings. Only the urgency of a watch
// breaks quiet hours.
func TestDefaultsOfWatches(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	a.rules = watch.Rules{{Ports: monitor.Ports{{First: 1, Last: 1}}}, {Ports: monitor.Ports{{First: 2, Last: 2}}, NotifyOn: watch.OnOpen}}
	a.settings.NotifyOn = watch.OnCrash | watch.OnConnect
	if got := a.effectiveRules(); got[0].NotifyOn != watch.OnCrash|watch.OnConnect || got[1].NotifyOn != watch.OnOpen || a.rules[0].NotifyOn != 0 {
		t.Errorf("got %+v, and the rules %+v", got, a.rules)
	}
	urgency := func(kind watch.Kind, of watch.Urgency) watch.Urgency {
		return a.withUrgency([]watch.Alert{{Kind: kind, Listener: testListener(), Rule: watch.Rule{Urgency: of}}})[0].Rule.Urgency
	}
	if got := urgency(watch.Crashed, ""); got != watch.Critical {
		t.Errorf("crash: got %q, want critical", got)
	}
	if got := urgency(watch.Closed, ""); got != "" {
		t.Errorf("close: got %q, want none", got)
	}
	a.settings.Urgency, a.settings.CrashUrgency = watch.Low, watch.Normal
	if closed, crashed, own := urgency(watch.Closed, ""), urgency(watch.Crashed, ""), urgency(watch.Crashed, watch.Critical); closed != watch.Low || crashed != watch.Normal || own != watch.Critical {
		t.Errorf("got %q, %q and %q; want low, normal, and the rule's critical", closed, crashed, own)
	}
}
