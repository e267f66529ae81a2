package settings

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// newFile returns a settings file in a temporary folder. It does not exist if
// text is empty.
func newFile(t *testing.T, text string) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "porthole", "settings.yaml")
	if text != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Open(path), path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLoadWithoutFileReturnsDefaults(t *testing.T) {
	f, path := newFile(t, "")
	s, err := f.Load()
	if err != nil || !s.Watches.WatchesPort(62893) || len(s.Watches) != 1 {
		t.Fatalf("Load() = %+v, %v, want one watch on 62893", s, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("Load() created the file")
	}
}

func TestLoadWatches(t *testing.T) {
	const text = `# mine
watches:
  - ports: 62893
  - name: the shop # do not touch
    match: vite shop
    colour: blue
  - ports: 3000-3999, 8080
    notify_on: [open, exposed]
    off: true
`
	f, path := newFile(t, text)
	s, err := f.Load()
	if err != nil || len(s.Watches) != 3 {
		t.Fatalf("Load() = %+v, %v, want three watches", s, err)
	}
	shop, ports := s.Watches[1], s.Watches[2]
	if shop.Name != "the shop" || shop.Match.String() != "vite shop" || !shop.FollowsService() || shop.NotifyOn != 0 || shop.Off {
		t.Errorf("second watch = %+v, want the service of the shop on any port", shop)
	}
	if ports.Ports.String() != "3000-3999, 8080" || ports.NotifyOn != watch.OnOpen|watch.OnExposed || !ports.Off {
		t.Errorf("third watch = %+v, want two kinds of events of the ports, off", ports)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r }); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != text {
		t.Errorf("writing unchanged watches: got\n%swant\n%s", got, text)
	}
	changed, err := f.ChangeWatches(func(r watch.Rules) watch.Rules {
		r = slices.Clone(r)
		r[1].Off, r[1].NotifyOn = true, watch.OnClose
		r[2].Off = false
		return slices.Insert(r, 0, watch.Rule{Name: "first", Ports: monitor.Ports{{First: 80, Last: 80}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Load()
	if err != nil || !slices.EqualFunc(again.Watches, changed.Watches, watch.Rule.Equal) || len(again.Watches) != 4 {
		t.Errorf("read back %+v, %v, want the four written ones: %+v", again.Watches, err, changed.Watches)
	}
}

func TestNotifyOnForms(t *testing.T) {
	for text, want := range map[string]watch.NotifyOn{
		"[open]":                          watch.OnOpen,
		"close":                           watch.OnClose,
		"crash":                           watch.OnCrash,
		"owner_change, exposed":           watch.OnOwnerChange | watch.OnExposed,
		"[owner_change, open, close]":     watch.OnOwnerChange | watch.OnOpen | watch.OnClose,
		"\n      - open\n      - exposed": watch.OnOpen | watch.OnExposed,
	} {
		f, _ := newFile(t, "watches:\n  - ports: 80\n    notify_on: "+text+"\n")
		if s, err := f.Load(); err != nil || s.Watches[0].NotifyOn != want {
			t.Errorf("notify_on: %s = %v, %v, want %v", text, s.Watches[0].NotifyOn, err, want)
		}
	}
}

func TestNotifyOnIsWrittenAsAList(t *testing.T) {
	f, path := newFile(t, "watches:\n  - ports: 80\n    notify_on: close # quiet\n")
	for _, c := range []struct {
		events watch.NotifyOn
		want   string
	}{
		{watch.OnOwnerChange | watch.OnOpen, "watches:\n  - ports: 80\n    notify_on: [open, owner_change] # quiet\n"},
		{watch.OnOpen | watch.OnCrash, "watches:\n  - ports: 80\n    notify_on: [open, crash] # quiet\n"},
		{watch.DefaultEvents, "watches:\n  - ports: 80\n    notify_on: [open, close, crash, owner_change, exposed, unhealthy] # quiet\n"},
		{0, "watches:\n  - ports: 80\n"},
	} {
		if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules {
			r = slices.Clone(r)
			r[0].NotifyOn = c.events
			return r
		}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != c.want {
			t.Errorf("got file\n%swant\n%s", got, c.want)
		}
	}
}

func TestNewerFileIsReadOnly(t *testing.T) {
	const text = "version: 2\nwatches:\n  - ports: 80\nfuture: 1\n"
	f, path := newFile(t, text)
	if s, err := f.Load(); err != nil || !s.Newer || !s.Watches.WatchesPort(80) {
		t.Errorf("Load() = %+v, %v, want its values and Newer", s, err)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) }); err == nil || !strings.Contains(err.Error(), "newer Porthole") {
		t.Errorf("ChangeWatches() error = %v, want a refusal", err)
	}
	if got := read(t, path); got != text {
		t.Errorf("the file was changed to\n%s", got)
	}
	current, _ := newFile(t, "version: 1\n")
	if s, err := current.Load(); err != nil || s.Newer {
		t.Errorf("Load() of this version = %+v, %v, want no Newer", s, err)
	}
}

func TestNotificationSettings(t *testing.T) {
	const text = "notify_on: [open, attempt]\nurgency: low\ncrash_urgency: normal\nexpiry: 10s\n"
	f, path := newFile(t, text)
	s, err := f.Load()
	if err != nil || s.NotifyOn != watch.OnOpen|watch.OnAttempt || s.Urgency != watch.Low || s.CrashUrgency != watch.Normal || s.Expiry != 10*time.Second {
		t.Fatalf("got %+v, %v", s, err)
	}
	if s, err = f.Set("notify_on", "crash,exposed"); err != nil || s.NotifyOn != watch.OnCrash|watch.OnExposed {
		t.Errorf("after Set: got %v, %v; want crash and exposed", s.NotifyOn, err)
	}
	if s, err = f.Set("expiry", "never"); err != nil || s.Expiry != Never {
		t.Errorf("after Set: got %v, %v; want never", s.Expiry, err)
	}
	if s, err = f.Set("notify_on", ""); err != nil || s.NotifyOn != 0 {
		t.Errorf("after Set: got %v, %v; want the default", s.NotifyOn, err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "urgency: low\ncrash_urgency: normal\nexpiry: never\n" {
		t.Errorf("got the file %q, %v", b, err)
	}
	for key, values := range map[string][]string{"notify_on": {"ha"}, "urgency": {"high", "1"}, "crash_urgency": {"no"}, "expiry": {"0s", "2h", "x", "-1s"}} {
		for _, value := range values {
			if _, err := f.Set(key, value); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s: %s: got the error %v", key, value, err)
			}
		}
	}
}

// Events that are those of the built-in default are written: the default of the settings may
// be another one.
func TestUsualEventsAreWritten(t *testing.T) {
	f, path := newFile(t, "notify_on: crash\nwatches:\n  - ports: 80\n")
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules {
		r = slices.Clone(r)
		r[0].NotifyOn = watch.DefaultEvents
		return r
	}); err != nil {
		t.Fatal(err)
	}
	s, err := f.Load()
	if b, _ := os.ReadFile(path); err != nil || s.Watches[0].NotifyOn != watch.DefaultEvents {
		t.Errorf("got %v, %v; file: %s", s.Watches[0].NotifyOn, err, b)
	}
}

func TestUnknownKeysAreReportedAndKept(t *testing.T) {
	const text = "wachtes:\n  - ports: 80\ncolour: red\nwatches:\n  - ports: 81\n    notify_no: open\n"
	f, path := newFile(t, text)
	s, err := f.Load()
	if err != nil || len(s.Warnings) != 3 {
		t.Fatalf("Load() = %+v, %v, want three warnings", s, err)
	}
	for i, want := range []string{
		path + ": line 1: unknown key \"wachtes\" (did you mean watches?) is ignored",
		path + ": line 3: unknown key \"colour\" is ignored",
		path + ": line 6: unknown key \"notify_no\" (did you mean notify_on?) is ignored",
	} {
		if s.Warnings[i].Error() != want {
			t.Errorf("warning %d = %q, want %q", i, s.Warnings[i], want)
		}
	}
	if s, err = f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(82) }); err != nil || len(s.Warnings) != 3 {
		t.Errorf("ChangeWatches() = %+v, %v, want the same warnings", s, err)
	}
	if got := read(t, path); got != text+"  - ports: 82\n" {
		t.Errorf("got file\n%swant the unknown keys kept", got)
	}
}

func TestNewerFileFallsBackOnlyForWhatIsNotUnderstood(t *testing.T) {
	const text = `version: 9
watches:
  - ports: 80
  - ports: [81, 82]
  - ports: 83
    notify_on: dreams
  - ports: 84
polling_interval: adaptive
sound: true
history_days: 7
grace_period: {open: 1s}
udp: maybe
`
	f, path := newFile(t, text)
	s, err := f.Load()
	if err != nil || !s.Newer {
		t.Fatalf("Load() = %+v, %v, want the part that is understood", s, err)
	}
	if len(s.Watches) != 2 || !s.Watches.WatchesPort(80) || !s.Watches.WatchesPort(84) || !s.Sound || s.HistoryDays != 7 {
		t.Errorf("got %+v, want watches on 80 and 84, sound and the days", s)
	}
	if s.PollingInterval != 0 || s.GracePeriod != watch.DefaultGrace || s.UDP {
		t.Errorf("got %+v, want the defaults for what is not understood", s)
	}
	for _, line := range []string{"line 4:", "line 6:", "line 8:", "line 11:", "line 12:"} {
		if !slices.ContainsFunc(s.Warnings, func(p Problem) bool { return strings.Contains(p.Error(), line) }) {
			t.Errorf("no warning about %s in %q", line, s.Warnings)
		}
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) }); err == nil {
		t.Error("ChangeWatches() changed a newer file")
	}
	if got := read(t, path); got != text {
		t.Errorf("the file was changed to\n%s", got)
	}
}

func TestChangedWatchKeepsItsComments(t *testing.T) {
	f, path := newFile(t, "watches:\n  # the old one\n  - ports: 80 # plain\n    colour: blue\n    off: true\n")
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules {
		r = slices.Clone(r)
		r[0].Off, r[0].Name = false, "web"
		return r
	}); err != nil {
		t.Fatal(err)
	}
	const want = "watches:\n  # the old one\n  - ports: 80 # plain\n    colour: blue\n    name: web\n"
	if got := read(t, path); got != want {
		t.Errorf("got file\n%swant\n%s", got, want)
	}
}

func TestLoadValues(t *testing.T) {
	f, _ := newFile(t, "polling_interval: 1s\nudp: true\n")
	if s, err := f.Load(); err != nil || s.PollingInterval != time.Second || !s.UDP || !s.Watches.WatchesPort(62893) {
		t.Errorf("Load() = %+v, %v, want one second, UDP and the default watch", s, err)
	}
}

func TestLoadHistoryLimits(t *testing.T) {
	f, _ := newFile(t, "history_days: 7\nhistory_events: 5000\n")
	if s, err := f.Load(); err != nil || s.HistoryDays != 7 || s.HistoryEvents != 5000 {
		t.Errorf("Load() = %+v, %v, want 7 days and 5000 events", s, err)
	}
	if s := Defaults(); s.HistoryDays != 0 || s.HistoryEvents != 0 {
		t.Errorf("Defaults() = %+v, want 0 for both: the store chooses", s)
	}
}

func TestInvalidFileIsRefusedAndKept(t *testing.T) {
	for text, want := range map[string]string{
		"watches:\n  - ports: 70000\n":                   "line 2: \"70000\": a port is a number from 1 to 65535",
		"watches:\n  - ports: 80\n  - ports: 9-3\n":      "line 3: \"9-3\": a range goes from the lower port",
		"watches: yes please\n":                          "line 1: watches must be a list",
		"watches:\n  - 80\n":                             "line 2: a watch must have keys",
		"watches:\n  - name: x\n":                        "line 2: a watch needs ports",
		"watches:\n  - ports: 80\n    match: a(\n":       "line 3: match: \"a(\" at character 1: missing closing )",
		"watches:\n  - prots: 80\n":                      "\"match: vite shop\"; \"prots\": did you mean ports?",
		"watches:\n  - match: \" \"\n":                   "line 2: a watch needs ports",
		"watches:\n  - ports: 80\n    notify_on: x\n":    "line 3: \"x\": notify_on must be a list of any of open, close, crash, owner_change, exposed, attempt, connect",
		"watches:\n  - ports: 80\n    notify_on: []\n":   "line 3: notify_on must be a list of any of open, close, crash, owner_change, exposed, attempt, connect, unhealthy; to disable",
		"watches:\n  - ports: 80\n    notify_on: [ha]\n": "line 3: \"ha\": notify_on must be",
		"watches:\n  - ports: 80\n    off: x\n":          "line 3: off must be true or false",
		"watches:\n  - ports: [80]\n":                    "line 2: ports must be text",
		"grace_period: -1s\n":                            "line 1: grace_period must be a time from 0s to 1m0s",
		"version: new\n":                                 "line 1: version must be a number",
		"udp: perhaps\n":                                 "line 1: udp must be true or false",
		"polling_interval: 250\n":                        "line 1: polling_interval must be a time from 50ms to 1m0s",
		"polling_interval: 1ms\n":                        "line 1: polling_interval must be a time from 50ms to 1m0s",
		"polling_interval: 2m\n":                         "line 1: polling_interval must be a time from 50ms to 1m0s",
		"history_days: 0\n":                              "line 1: history_days must be a number from 1 to 3650",
		"udp: true\nhistory_days: long\n":                "line 2: history_days must be a number from 1 to 3650",
		"history_events: -1\n":                           "line 1: history_events must be a number from 1 to 1000000",
		"history_events: 1000001\n":                      "line 1: history_events must be a number from 1 to 1000000",
		"traffic_body: 65\n":                             "line 1: traffic_body must be a number from 1 to 64",
		"- a\n- b\n":                                     "line 1: settings must be keys",
		"watches:\n  - ports: 80\n   bad: [\n":           "line ",
		"a: 1\nwatches:\n  - ports: [1, {\n# end\n":      "line ",
	} {
		f, path := newFile(t, text)
		s, err := f.Load()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Load() of %q: error = %v, want one line with %q", text, err, want)
		}
		if len(s.Watches) != 1 {
			t.Errorf("Load() of %q: watches = %v, want the default", text, s.Watches)
		}
		if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(80) }); err == nil {
			t.Errorf("ChangeWatches() of %q did not fail", text)
		}
		if got := read(t, path); got != text {
			t.Errorf("the file %q was changed to %q", text, got)
		}
	}
}

func TestChangeWatchesKeepsCommentsUnknownKeysAndLinks(t *testing.T) {
	const text = `# my dotfiles
future: {a: 1} # unknown
watches:
  # the shop
  - ports: 3000-3999, 8080
    name: shop
    later: true
  - ports: 62893 # default
`
	_, path := newFile(t, text)
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	f := Open(link)
	s, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(5432).WithoutPort(62893) })
	if err != nil || len(s.Watches) != 2 || !s.Watches.WatchesPort(5432) || s.Watches.WatchesPort(62893) {
		t.Fatalf("ChangeWatches() = %+v, %v, want 5432 and not 62893", s, err)
	}
	got := read(t, path)
	for _, want := range []string{"# my dotfiles", "future: {a: 1} # unknown", "# the shop", "name: shop", "later: true", "- ports: 5432\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the file lost %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "62893") {
		t.Errorf("the file still contains 62893:\n%s", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("Lstat() of the link = %v, %v, want a symbolic link", info, err)
	}
}

func TestRemovedLastWatchStaysRemoved(t *testing.T) {
	f, path := newFile(t, "")
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithoutPort(62893) }); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path).Load(); err != nil || len(s.Watches) != 0 {
		t.Fatalf("after a restart: %+v, %v, want no watches", s, err)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(80) }); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path).Load(); err != nil || len(s.Watches) != 1 || !s.Watches.WatchesPort(80) {
		t.Fatalf("after a restart: %+v, %v, want a watch on 80; file:\n%s", s, err, read(t, path))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode = %v, %v, want 0600", info.Mode(), err)
	}
}

func TestWatchReportsChanges(t *testing.T) {
	f, path := newFile(t, "watches: []\n")
	ctx, cancel := context.WithCancel(t.Context())
	changed, done := make(chan struct{}, 8), make(chan error, 1)
	go func() { done <- f.Watch(ctx, func() { changed <- struct{}{} }) }()
	edit := func(name string, do func() error) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); { // Watch may not have started yet
			if err := do(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-changed:
				return
			case <-time.After(2 * debounce):
			}
		}
		t.Errorf("%s was not reported", name)
	}
	edit("a write", func() error { return os.WriteFile(path, []byte("watches:\n  - ports: 80\n"), 0o600) })
	edit("a replacement", func() error {
		if err := os.WriteFile(path+"~", []byte("watches:\n  - ports: 81\n"), 0o600); err != nil {
			return err
		}
		return os.Rename(path+"~", path)
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Watch() = %v, want nil", err)
	}
}

func TestUnwritableFolderIsOneSentence(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can write to every folder")
	}
	f, path := newFile(t, "watches: []\n")
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) })
	_, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(80) })
	if want := path + ": cannot write the file: permission denied"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

// The path of a health check survives reading and writing, and is refused with one sentence if
// it can't be asked for.
func TestHealthOfAWatch(t *testing.T) {
	f, path := newFile(t, "watches:\n  - ports: 3000 # the shop\n    health: /health?deep=1\n  - match: vite\n    health: /\n    notify_on: [unhealthy]\n")
	s, err := f.Load()
	if err != nil || len(s.Watches) != 2 || s.Watches[0].Health != "/health?deep=1" || s.Watches[1].Health != "/" || s.Watches[1].NotifyOn != watch.OnUnhealthy {
		t.Fatalf("got %+v, %v; want both paths", s.Watches, err)
	}
	s, err = f.ChangeWatches(func(r watch.Rules) watch.Rules {
		r = slices.Clone(r)
		r[0].Health, r[1].Health = "/ready", ""
		return r
	})
	if err != nil || s.Watches[0].Health != "/ready" || s.Watches[1].Health != "" {
		t.Errorf("got %+v, %v; want the changed paths", s.Watches, err)
	}
	if got, want := read(t, path), "  - ports: 3000 # the shop\n    health: /ready\n"; !strings.Contains(got, want) {
		t.Errorf("got file %q, want %q", got, want)
	}
	for text, want := range map[string]string{
		"ports: 3000, health: health":               "line 2: health: a path begins with /",
		"ports: 3000, health: 'http://192.0.2.1/x'": "line 2: health: give only the path",
		"ports: 3000, health: \"/a\\tb\"":           "line 2: health: a path has no spaces",
		"ports: 3000, health: [a]":                  "line 2: health: it must be a path",
		"ports: 3000, health: ''":                   "line 2: health: it must be a path",
		"ports: 53/udp, health: /":                  "line 2: health: only TCP ports",
	} {
		f, _ := newFile(t, "watches:\n  - {"+text+"}\n")
		if _, err := f.Load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
