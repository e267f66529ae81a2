package settings

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// A file as people write it: blank lines, aligned comments, other indentation,
// flow style, and comments that belong to one entry or to several.
const dotfile = `# my dotfiles

udp:   no      # quiet


watches:

    # frontends
    - ports: 3000-3003,  8080     # notify only of closes
      name:  'the shop'
      # evenings
      notify_on: [ open, exposed ]   # no more

    # main checkout
    - { ports: 5173, name: vite, off: true }   # { flow }
    -   match: "java -jar shop.jar"

        colour: blue
        # the end of java

    # default
    - ports: 62893

# at the end
sound: true
future: { a: [ 1,2 ] }
`

func port(p uint16) monitor.Ports { return monitor.Ports{{First: p, Last: p}} }

// edits returns edits of the watches in dotfile, with the text that they replace.
var watchEdits = []struct {
	name     string
	edit     func(watch.Rules) watch.Rules
	old, new string
}{
	{"add", func(r watch.Rules) watch.Rules { return r.WithPort(80) }, "    - ports: 62893\n", "    - ports: 62893\n    - ports: 80\n"},
	{"add first", func(r watch.Rules) watch.Rules { return slices.Insert(r, 0, watch.Rule{Ports: port(80), Name: "a: b"}) },
		"    # frontends\n", "    - ports: 80\n      name: 'a: b'\n    # frontends\n"},
	{"remove the first", func(r watch.Rules) watch.Rules { return r[1:] },
		dotfile[strings.Index(dotfile, "    # frontends"):strings.Index(dotfile, "\n    # main")], ""},
	{"remove a flow entry", func(r watch.Rules) watch.Rules { return slices.Delete(r, 1, 2) },
		"    # main checkout\n    - { ports: 5173, name: vite, off: true }   # { flow }\n", ""},
	{"remove the last", func(r watch.Rules) watch.Rules { return r.WithoutPort(62893) }, "    # default\n    - ports: 62893\n", ""},
	{"change a value", func(r watch.Rules) watch.Rules { r[0].Name = "x"; return r }, "'the shop'", "x"},
	{"change ports", func(r watch.Rules) watch.Rules { r[0].Ports = port(90); return r }, "3000-3003,  8080 ", "90 "},
	{"change a flow list", func(r watch.Rules) watch.Rules { r[0].NotifyOn = watch.OnClose; return r }, "[ open, exposed ]", "[close]"},
	{"remove a key", func(r watch.Rules) watch.Rules { r[0].NotifyOn = 0; return r }, "      notify_on: [ open, exposed ]   # no more\n", ""},
	{"remove the first key of an entry", func(r watch.Rules) watch.Rules { r[0].Ports, r[0].Match = nil, pattern("x"); return r },
		"ports: 3000-3003,  8080  ", "match: x  "},
	{"add a key", func(r watch.Rules) watch.Rules { r[3].Off = true; return r }, "    - ports: 62893\n", "    - ports: 62893\n      off: true\n"},
	{"add a key below a comment", func(r watch.Rules) watch.Rules { r[2].Off = true; return r }, "colour: blue\n", "colour: blue\n        off: true\n"},
	{"remove a key of a flow entry", func(r watch.Rules) watch.Rules { r[1].Off = false; return r }, ", off: true }", " }"},
	{"add a key to a flow entry", func(r watch.Rules) watch.Rules { r[1].NotifyOn = watch.OnOpen; return r }, "off: true }", "off: true, notify_on: [open] }"},
	{"change a value of a flow entry", func(r watch.Rules) watch.Rules { r[1].Name = "a, b"; return r }, "name: vite", "name: 'a, b'"},
	{"swap", func(r watch.Rules) watch.Rules { r[0], r[1] = r[1], r[0]; return r },
		dotfile[strings.Index(dotfile, "    # frontends"):strings.Index(dotfile, "    -   match")],
		"    # main checkout\n    - { ports: 5173, name: vite, off: true }   # { flow }\n\n" + dotfile[strings.Index(dotfile, "    # frontends"):strings.Index(dotfile, "\n    # main")]},
	{"nothing", func(r watch.Rules) watch.Rules { return r }, "", ""},
}

func pattern(text string) watch.Pattern {
	p, err := watch.ParsePattern(text)
	if err != nil {
		panic(err)
	}
	return p
}

func TestWatchEditChangesOnlyItsEntry(t *testing.T) {
	for name, form := range map[string]func(string) string{
		"LF":   func(s string) string { return s },
		"CRLF": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"list at the end": func(s string) string {
			head, tail, _ := strings.Cut(s, "# at the end\n")
			return tail + head
		},
		"byte order mark": func(s string) string { return "\ufeff" + s },
	} {
		for _, c := range watchEdits {
			text := form(dotfile)
			want := strings.Replace(text, form(c.old), form(c.new), 1)
			if name == "list at the end" || name == "byte order mark" {
				want = strings.Replace(text, c.old, c.new, 1)
			}
			f, path := newFile(t, text)
			s, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return c.edit(slices.Clone(r)) })
			if err != nil {
				t.Errorf("%s, %s: %v", name, c.name, err)
				continue
			}
			if got := read(t, path); got != want {
				t.Errorf("%s, %s: got file\n%s\nwant\n%s", name, c.name, got, want)
			}
			if got, err := f.Load(); err != nil || !slices.EqualFunc(got.Watches, s.Watches, watch.Rule.Equal) {
				t.Errorf("%s, %s: read back %+v, %v, want %+v", name, c.name, got.Watches, err, s.Watches)
			}
		}
	}
}

func TestUndoRestoresTheTextOfTheFile(t *testing.T) {
	for _, text := range []string{dotfile, strings.TrimSuffix(dotfile, "\n"), strings.ReplaceAll(dotfile, "\n", "\r\n"),
		"watches: # mine\n- ports: 80 # web", "watches: [ { ports: 80 }, {ports: 90} ]  # x", "{ watches: [ { ports: 80 } ] }\n"} {
		f, path := newFile(t, text)
		s, err := f.Load()
		if err != nil {
			t.Fatal(err)
		}
		for n := range s.Watches { // remove all, one after the other
			if _, err := f.ChangeWatches(func(watch.Rules) watch.Rules { return s.Watches[n+1:] }); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		for n := range s.Watches {
			if _, err := f.ChangeWatches(func(watch.Rules) watch.Rules { return s.Watches[len(s.Watches)-n-1:] }); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		if got := read(t, path); got != text {
			t.Errorf("after removing all watches and Undo: got\n%s\nwant\n%s", got, text)
		}
	}
}

// Something else was changed between removing a watch and Undo.
func TestUndoAfterAnotherEditKeepsTheCommentsOfTheEntry(t *testing.T) {
	f, path := newFile(t, dotfile)
	s, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r[1:] }); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Set("udp", "true"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ChangeWatches(func(watch.Rules) watch.Rules { return s.Watches }); err != nil {
		t.Fatal(err)
	}
	got := read(t, path)
	for _, line := range strings.SplitAfter(strings.Replace(dotfile, "no ", "true ", 1), "\n") {
		if !strings.Contains(got, line) {
			t.Errorf("the file lost %q:\n%s", line, got)
		}
	}
}

func TestEmptyListsGetEntries(t *testing.T) {
	for text, want := range map[string]string{
		"watches: []  # none\nudp: no\n": "watches:  # none\n  - ports: 80\nudp: no\n",
		"watches:\n\nudp: no":            "watches:\n  - ports: 80\n\nudp: no",
		"watches: ~\n":                   "watches:\n  - ports: 80\n",
		"udp: no\r\n\r\n":                "udp: no\r\n\r\nwatches:\r\n  - ports: 80\r\n",
		"{udp: no}\n":                    "{udp: no, watches: [{ports: 80}]}\n",
		"{ udp: no, watches: [] }\n":     "{ udp: no, watches: [{ports: 80}] }\n",
		"  udp: no\n":                    "  udp: no\n  watches:\n    - ports: 80\n",
		"# mine":                         "# mine\n\nwatches:\n  - ports: 80\n",
	} {
		f, path := newFile(t, text)
		if _, err := f.ChangeWatches(func(watch.Rules) watch.Rules { return watch.Rules{{Ports: port(80)}} }); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got := read(t, path); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestUneditableListIsRefusedAndKept(t *testing.T) {
	const text = "udp: no\n? watches\n: - ports: 80\n"
	f, path := newFile(t, text)
	_, err := f.ChangeWatches(func(r watch.Rules) watch.Rules { return r.WithPort(81) })
	if want := path + ": line 2: Porthole can't change watches without changing other lines; change it by hand"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if got := read(t, path); got != text {
		t.Errorf("got file %q, want it unchanged", got)
	}
}

func TestSyntaxErrorsHaveTheLineOfTheMistake(t *testing.T) {
	for text, want := range map[string]string{
		"watches:\n  - ports: 80\n    notify_on: [open, close\n  - ports: 81\n  - ports: 82\n    name: x\nudp: no\n": "line 3: \"[\" without \"]\"",
		"watches:\n  - ports: {80\n  - ports: 81\nudp: no\n":                                                         "line 2: \"{\" without \"}\"",
		"udp: no\nlanguage: \"en\nsound: true\ntheme: dark\n":                                                        "line 2: ",
		"udp: no\nsound\ntheme: dark\n":                                                                              "line 2: ",
		"udp: no\n\tsound: true\n":                                                                                   "line 2: ",
		"watches:\n  - ports: 80\n   bad: [\n":                                                                       "line 3: ",
		"udp: no\n---\nudp: yes\n":                                                                                   "line 2: ",
		"udp: no: yes\nsound: true\n":                                                                                "line 1: ",
	} {
		f, path := newFile(t, text)
		if _, err := f.Load(); err == nil || !strings.HasPrefix(err.Error(), path+": "+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Load() of %q: error = %v, want %s", text, err, want)
		}
	}
}

// FuzzEdit: any edit re-parses to what was asked, does not change any other
// lines, and can be undone byte by byte.
func FuzzEdit(f *testing.F) {
	for i, text := range []string{dotfile, strings.ReplaceAll(dotfile, "\n", "\r\n"), "watches: [ { ports: 80 }, {ports: 90} ]", "{udp: no, watches: [{ports: 1}]}\n",
		"watches:\n- ports: 80\n-\n  ports: 81\n- name: |\n    a\n    # b\n  ports: 82\n", "udp: no\nwatches: # x\n...\n", "", "# only\n"} {
		for op := range byte(6) {
			f.Add(text, op, byte(i))
		}
	}
	path := filepath.Join(f.TempDir(), "settings.yaml")
	f.Fuzz(func(t *testing.T, text string, op, index byte) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file := Open(path)
		doc, before, err := file.load()
		if err != nil || before.Newer {
			return
		}
		if op%6 == 0 {
			if _, err := file.Set("theme", "dark"); err == nil {
				checkLines(t, text, read(t, path), 1)
			} else if got := read(t, path); got != text {
				t.Errorf("a refused edit changed %q to %q", text, got)
			}
			return
		}
		n := len(before.Watches)
		want := slices.Clone(before.Watches)
		i := 0
		if n > 0 {
			i = int(index) % n
		}
		switch {
		case op%6 == 1 || n == 0:
			want = slices.Insert(want, i, watch.Rule{Ports: port(4242), Name: "new, and: [odd"})
		case op%6 == 2:
			want = slices.Delete(want, i, i+1)
		case op%6 == 3:
			want[i].Off = !want[i].Off
		case op%6 == 4:
			want[i].Ports, want[i].Match = nil, pattern("x y")
		case op%6 == 5:
			want[0], want[i] = want[i], want[0]
		}
		if _, err := file.ChangeWatches(func(watch.Rules) watch.Rules { return want }); err != nil {
			if got := read(t, path); got != text {
				t.Errorf("a refused edit changed %q to %q", text, got)
			}
			return
		}
		got, err := file.Load()
		if err != nil || !slices.EqualFunc(got.Watches, want, watch.Rule.Equal) {
			t.Fatalf("%q: got %+v, %v, want %+v; file %q", text, got.Watches, err, want, read(t, path))
		}
		after, from, to := read(t, path), 0, 1<<30
		if name, _ := pairOf(doc.root, "watches"); name != nil {
			from = name.Line
			if k := slices.Index(doc.root.Content, name) + 2; k < len(doc.root.Content) {
				to = doc.root.Content[k].Line
			}
		}
		checkOutside(t, text, after, from, to)
		if _, err := file.ChangeWatches(func(watch.Rules) watch.Rules { return before.Watches }); err != nil {
			t.Fatalf("undo in %q: %v", after, err)
		}
		if again := read(t, path); again != text && !(text == after) {
			t.Errorf("undo of %q: got %q, want %q", after, again, text)
		}
	})
}

// checkLines fails if more than n lines of before are not in after.
func checkLines(t *testing.T, before, after string, n int) {
	t.Helper()
	lost := 0
	rest := strings.Split(after, "\n")
	for _, line := range strings.Split(before, "\n") {
		if i := slices.Index(rest, line); i >= 0 {
			rest = rest[i+1:]
		} else {
			lost++
		}
	}
	if lost > n {
		t.Errorf("%d lines of %q are not in %q", lost, before, after)
	}
}

// checkOutside fails unless the lines of before above line from and from line to on
// are in after.
func checkOutside(t *testing.T, before, after string, from, to int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(before, "\n"), "\n")
	if from == 0 { // the list was added
		checkLines(t, before, after, strings.Count(before[:min(1, len(before))], "{")) // of a flow mapping, one line changes
		return
	}
	to = min(to, len(lines)+1)
	head, tail := strings.Join(lines[:from-1], "\n"), strings.Join(lines[to-1:], "\n")
	if !strings.HasPrefix(after, head) || !strings.Contains(after[len(head):], tail) {
		t.Errorf("an edit of the watches in lines %d to %d changed other lines: from\n%s\nto\n%s", from, to-1, before, after)
	}
}
