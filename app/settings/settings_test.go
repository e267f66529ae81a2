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

func file(t *testing.T, text string) (*File, string) {
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

func TestNoFileIsTheDefaults(t *testing.T) {
	f, path := file(t, "")
	s, err := f.Load()
	if err != nil || !s.Watches.WatchesPort(62893) || len(s.Watches) != 1 {
		t.Fatalf("Load: %+v, %v; want one watch on 62893", s, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("loading wrote a file")
	}
}

func TestWatchesOfEveryKind(t *testing.T) {
	const text = `# mine
watches:
  - ports: 62893
  - name: the shop # no touching
    match: vite shop
    colour: blue
  - ports: 3000-3999, 8080
    tell: [opens, network]
    off: true
`
	f, path := file(t, text)
	s, err := f.Load()
	if err != nil || len(s.Watches) != 3 {
		t.Fatalf("Load: %+v, %v; want three watches", s, err)
	}
	shop, range_ := s.Watches[1], s.Watches[2]
	if shop.Name != "the shop" || shop.Match.String() != "vite shop" || !shop.FollowsService() || shop.NotifyOn != 0 || shop.Off {
		t.Errorf("second watch %+v, want the shop's service, wherever it listens", shop)
	}
	if range_.Ports.String() != "3000-3999, 8080" || range_.NotifyOn != watch.OnOpen|watch.OnExposed || !range_.Off {
		t.Errorf("third watch %+v, want two kinds of changes of the ports, off", range_)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r }); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != text {
		t.Errorf("changing nothing made of it\n%s", got)
	}
	edited, err := f.ChangeWatches(func(r watch.Rules) watch.Rules {
		r = slices.Clone(r)
		r[1].Off, r[1].NotifyOn = true, watch.OnClose
		r[2].Off = false
		return slices.Insert(r, 0, watch.Rule{Name: "first", Ports: monitor.Ports{{First: 80, Last: 80}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Load()
	if err != nil || !slices.EqualFunc(again.Watches, edited.Watches, watch.Rule.Equal) || len(again.Watches) != 4 {
		t.Errorf("written %+v, read again %+v, %v; want the same four", edited.Watches, again.Watches, err)
	}
}

func TestANewerFileIsReadAndNotWritten(t *testing.T) {
	const text = "version: 2\nwatches:\n  - ports: 80\nfuture: 1\n"
	f, path := file(t, text)
	if s, err := f.Load(); err != nil || !s.Newer || !s.Watches.WatchesPort(80) {
		t.Errorf("Load: %+v, %v; want what it says, and that it is newer", s, err)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) }); err == nil || !strings.Contains(err.Error(), "newer Porthole") {
		t.Errorf("ChangeWatches: %v, want a refusal", err)
	}
	if got := read(t, path); got != text {
		t.Errorf("the file is\n%s", got)
	}
	now, _ := file(t, "version: 1\n")
	if s, err := now.Load(); err != nil || s.Newer {
		t.Errorf("this version: %+v, %v; want it as any", s, err)
	}
}

func TestUnknownKeysAreSaidAndKept(t *testing.T) {
	const text = "wachtes:\n  - ports: 80\ncolour: red\nwatches:\n  - ports: 81\n    tel: opens\n"
	f, path := file(t, text)
	s, err := f.Load()
	if err != nil || len(s.Warnings) != 3 {
		t.Fatalf("Load: %+v, %v; want three remarks", s, err)
	}
	for i, want := range []string{
		path + ": line 1: \"wachtes\" is not a key that Porthole knows (did you mean watches?); it is left as it is",
		path + ": line 3: \"colour\" is not a key that Porthole knows; it is left as it is",
		path + ": line 6: \"tel\" is not a key that Porthole knows (did you mean tell?); it is left as it is",
	} {
		if s.Warnings[i] != want {
			t.Errorf("remark %d is %q, want %q", i, s.Warnings[i], want)
		}
	}
	if s, err = f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(82) }); err != nil || len(s.Warnings) != 3 {
		t.Errorf("ChangeWatches: %+v, %v; want the remarks still", s, err)
	}
	if got := read(t, path); got != text+"  - ports: 82\n" {
		t.Errorf("the file is\n%s", got)
	}
}

// Who copies the example of docs/settings.md must not be told that a key is unknown.
func TestTheKeysInTheDocsAreKnown(t *testing.T) {
	b, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	f, _ := file(t, example)
	if s, err := f.Load(); err != nil || !found || len(s.Warnings) > 0 || len(s.Watches) != 4 {
		t.Errorf("the example of docs/settings.md is %+v, %v; want four watches and no remark", s, err)
	}
}

func TestOfANewerFileOnlyWhatIsNotUnderstoodFallsBack(t *testing.T) {
	const text = `version: 9
watches:
  - ports: 80
  - ports: [81, 82]
  - ports: 83
    tell: dreams
  - ports: 84
interval: adaptive
sound: true
keep_days: 7
grace: {opens: 1s}
udp: maybe
`
	f, path := file(t, text)
	s, err := f.Load()
	if err != nil || !s.Newer {
		t.Fatalf("Load: %+v, %v; want what is understood of a newer file", s, err)
	}
	if len(s.Watches) != 2 || !s.Watches.WatchesPort(80) || !s.Watches.WatchesPort(84) || !s.Sound || s.HistoryDays != 7 {
		t.Errorf("read %+v; want 80 and 84, the sound and the days", s)
	}
	if s.PollingInterval != 0 || s.GracePeriod != watch.DefaultGrace || s.UDP {
		t.Errorf("read %+v; want the defaults of what is not understood", s)
	}
	for _, line := range []string{"line 4:", "line 6:", "line 8:", "line 11:", "line 12:"} {
		if !strings.Contains(strings.Join(s.Warnings, "\n"), line) {
			t.Errorf("nothing is said of %s %q", line, s.Warnings)
		}
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) }); err == nil {
		t.Error("a newer file was changed")
	}
	if got := read(t, path); got != text {
		t.Errorf("the file is\n%s", got)
	}
}

func TestAnEditedWatchKeepsItsComments(t *testing.T) {
	f, path := file(t, "watches:\n  # the old one\n  - ports: 80 # plain\n    colour: blue\n    off: true\n")
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules {
		r = slices.Clone(r)
		r[0].Off, r[0].Name = false, "web"
		return r
	}); err != nil {
		t.Fatal(err)
	}
	const want = "watches:\n  # the old one\n  - ports: 80 # plain\n    colour: blue\n    name: web\n"
	if got := read(t, path); got != want {
		t.Errorf("the file is\n%swant\n%s", got, want)
	}
}

func TestWhatTheFileSays(t *testing.T) {
	f, _ := file(t, "interval: 1s\nudp: true\n")
	if s, err := f.Load(); err != nil || s.PollingInterval != time.Second || !s.UDP || !s.Watches.WatchesPort(62893) {
		t.Errorf("Load: %+v, %v; want a second, UDP, and the default watch", s, err)
	}
}

func TestHowLongActivityIsKept(t *testing.T) {
	f, _ := file(t, "keep_days: 7\nkeep_rows: 5000\n")
	if s, err := f.Load(); err != nil || s.HistoryDays != 7 || s.HistoryEvents != 5000 {
		t.Errorf("Load: %+v, %v; want 7 days and 5000 changes", s, err)
	}
	if s := Defaults(); s.HistoryDays != 0 || s.HistoryEvents != 0 {
		t.Errorf("the defaults are %+v; want that the store chooses", s)
	}
}

func TestBrokenFilesAreRefusedWithTheLineAndStay(t *testing.T) {
	for text, want := range map[string]string{
		"watches:\n  - ports: 70000\n":              "line 2: \"70000\": a port is a number from 1 to 65535",
		"watches:\n  - ports: 80\n  - ports: 9-3\n": "line 3: \"9-3\": a range goes from the lower port",
		"watches: yes please\n":                     "line 1: watches is a list",
		"watches:\n  - 80\n":                        "line 2: a watch is like",
		"watches:\n  - name: x\n":                   "line 2: a watch needs ports",
		"watches:\n  - ports: 80\n    match: a(\n":  "line 3: match: \"a(\" at character 1: missing closing )",
		"watches:\n  - prots: 80\n":                 "\"match: vite shop\"; \"prots\": did you mean ports?",
		"watches:\n  - match: \" \"\n":              "line 2: a watch needs ports",
		"watches:\n  - ports: 80\n    tell: x\n":    "line 3: \"x\": tell is any of opens, closes, hands, network",
		"watches:\n  - ports: 80\n    off: x\n":     "line 3: off is true or false",
		"watches:\n  - ports: [80]\n":               "line 2: ports are like",
		"grace: -1s\n":                              "line 1: grace is a time from 0s to 1m0s",
		"version: new\n":                            "line 1: version is a number",
		"udp: perhaps\n":                            "line 1: udp is true or false",
		"interval: 250\n":                           "line 1: interval is a time from 50ms to 1m0s",
		"interval: 1ms\n":                           "line 1: interval is a time from 50ms to 1m0s",
		"interval: 2m\n":                            "line 1: interval is a time from 50ms to 1m0s",
		"keep_days: 0\n":                            "line 1: keep_days is a number of days from 1 to 3650",
		"udp: true\nkeep_days: long\n":              "line 2: keep_days is a number of days from 1 to 3650",
		"keep_rows: -1\n":                           "line 1: keep_rows is a number of changes from 1 to 1000000",
		"keep_rows: 1000001\n":                      "line 1: keep_rows is a number of changes from 1 to 1000000",
		"- a\n- b\n":                                "line 1: settings are keys",
		"watches:\n  - ports: 80\n   bad: [\n":      "line ",
		"a: 1\nwatches:\n  - ports: [1, {\n# end\n": "line ",
	} {
		f, path := file(t, text)
		s, err := f.Load()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v; want one line with %q", text, err, want)
		}
		if len(s.Watches) != 1 {
			t.Errorf("%q: watches %v; want the defaults", text, s.Watches)
		}
		if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(80) }); err == nil {
			t.Errorf("%q: was written over", text)
		}
		if got := read(t, path); got != text {
			t.Errorf("file became %q, was %q", got, text)
		}
	}
}

func TestChangesKeepCommentsUnknownKeysAndLinks(t *testing.T) {
	const text = `# my dotfiles
future: {a: 1} # unknown
watches:
  # the shop
  - ports: 3000-3999, 8080
    name: shop
    later: true
  - ports: 62893 # default
`
	_, path := file(t, text)
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	f := Open(link)
	s, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(5432).WithoutPort(62893) })
	if err != nil || len(s.Watches) != 2 || !s.Watches.WatchesPort(5432) || s.Watches.WatchesPort(62893) {
		t.Fatalf("ChangeWatches: %+v, %v", s, err)
	}
	got := read(t, path)
	for _, want := range []string{"# my dotfiles", "future: {a: 1} # unknown", "# the shop", "name: shop", "later: true", "- ports: 5432\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("lost %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "62893") {
		t.Errorf("62893 is still there:\n%s", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v, %v", info, err)
	}
}

func TestTheLastWatchRemovedStaysRemoved(t *testing.T) {
	f, path := file(t, "")
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithoutPort(62893) }); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path).Load(); err != nil || len(s.Watches) != 0 {
		t.Fatalf("after a restart: %+v, %v; want no watches", s, err)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(80) }); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path).Load(); err != nil || len(s.Watches) != 1 || !s.Watches.WatchesPort(80) {
		t.Fatalf("after a restart: %+v, %v; want 80; file:\n%s", s, err, read(t, path))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestEditsAreNoticed(t *testing.T) {
	f, path := file(t, "watches: []\n")
	ctx, cancel := context.WithCancel(t.Context())
	changed, ended := make(chan struct{}, 8), make(chan error, 1)
	go func() { ended <- f.Watch(ctx, func() { changed <- struct{}{} }) }()
	edit := func(what string, do func() error) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); { // the watch may not have begun
			if err := do(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-changed:
				return
			case <-time.After(2 * debounce):
			}
		}
		t.Errorf("%s was not noticed", what)
	}
	edit("a write", func() error { return os.WriteFile(path, []byte("watches:\n  - ports: 80\n"), 0o600) })
	edit("a replacement", func() error {
		if err := os.WriteFile(path+"~", []byte("watches:\n  - ports: 81\n"), 0o600); err != nil {
			return err
		}
		return os.Rename(path+"~", path)
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Watch: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenIsOneSentence(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	f, path := file(t, "watches: []\n")
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) })
	_, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(80) })
	if err == nil || err.Error() != path+" cannot be written: permission denied" {
		t.Errorf("error %v", err)
	}
}
