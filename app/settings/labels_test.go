package settings

import (
	"strings"
	"testing"

	"porthole/monitor/label"
	"porthole/monitor/watch"
)

// labelled is a file with labels and hiding rules as people write them.
const labelled = `# mine
udp: no   # quiet

labels:
  # the big one
  - ports:  5432     # PostgreSQL
    name: 'main database'
    note: "ask Ann"
  - { match: vite shop, name: front }

hidden:
  - program: cupsd   # printers
    ports: 631
  - unit: avahi-daemon.service
    exposed: yes
`

func TestLabels(t *testing.T) {
	f, _ := newFile(t, labelled)
	s, err := f.Load()
	if err != nil || len(s.Warnings) > 0 {
		t.Fatalf("Load: %v, warnings %q", err, s.Warnings)
	}
	b := s.Labels.Labels
	if len(b) != 2 || b[0].On.PortsText() != "5432" || b[0].Name != "main database" || b[0].Note != "ask Ann" || b[1].On.Match.String() != "vite shop" || b[1].Name != "front" {
		t.Errorf("got labels %+v", b)
	}
	h := s.Labels.Hidden
	if len(h) != 2 || h[0].Program != "cupsd" || h[0].On.PortsText() != "631" || h[0].Exposed || h[1].Unit != "avahi-daemon.service" || !h[1].Exposed {
		t.Errorf("got hiding rules %+v", h)
	}
}

// A change touches only the lines of its entry, and a change back restores the file.
func TestChangeLabels(t *testing.T) {
	pattern, err := watch.ParsePattern("^node$ ^shop$")
	if err != nil {
		t.Fatal(err)
	}
	database, hidden := label.Label{On: watch.Rule{Ports: port(5432)}, Name: "main database", Note: "ask Ann"}, label.Hidden{Program: "spotify"}
	renamed := label.Label{On: database.On, Name: "8080", Note: "ask: Bob"}
	service := label.Label{On: watch.Rule{Match: pattern}, Name: "shop"}
	for _, test := range []struct {
		name        string
		add, remove label.Rules
		old, new    string
	}{
		{"add a label", label.Rules{Labels: []label.Label{service}}, label.Rules{}, "name: front }\n", "name: front }\n  - match: ^node$ ^shop$\n    name: shop\n"},
		{"change a label", label.Rules{Labels: []label.Label{renamed}}, label.Rules{Labels: []label.Label{database}},
			"'main database'\n    note: \"ask Ann\"", "\"8080\"\n    note: 'ask: Bob'"},
		{"remove a label", label.Rules{}, label.Rules{Labels: []label.Label{database}},
			"  # the big one\n  - ports:  5432     # PostgreSQL\n    name: 'main database'\n    note: \"ask Ann\"\n", ""},
		{"hide", label.Rules{Hidden: []label.Hidden{hidden}}, label.Rules{}, "    exposed: yes\n", "    exposed: yes\n  - program: spotify\n"},
		{"hide a public one", label.Rules{Hidden: []label.Hidden{{Program: "spotify", Exposed: true, Public: true}}}, label.Rules{}, "    exposed: yes\n", "    exposed: yes\n  - program: spotify\n    exposed: true\n    public: true\n"},
		{"show again", label.Rules{}, label.Rules{Hidden: []label.Hidden{{Unit: "avahi-daemon.service", Exposed: true}}}, "  - unit: avahi-daemon.service\n    exposed: yes\n", ""},
		{"nothing", label.Rules{Labels: []label.Label{database}}, label.Rules{Hidden: []label.Hidden{hidden}}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, path := newFile(t, labelled)
			change := func(add, remove label.Rules) {
				t.Helper()
				_, err := f.ChangeLabels(func(r label.Rules) label.Rules {
					return label.Rules{Labels: label.Change(r.Labels, add.Labels, remove.Labels), Hidden: label.Change(r.Hidden, add.Hidden, remove.Hidden)}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			change(test.add, test.remove)
			if want := strings.Replace(labelled, test.old, test.new, 1); read(t, path) != want {
				t.Errorf("got\n%s\nwant\n%s", read(t, path), want)
			}
		})
	}
}

// The lists are created in a file without them.
func TestFirstLabel(t *testing.T) {
	for text, want := range map[string]string{
		"":                    headerLine + "\nlabels:\n  - ports: 5432\n    name: db\n\nhidden:\n  - program: cupsd\n",
		"udp: true\n":         "udp: true\nlabels:\n  - ports: 5432\n    name: db\nhidden:\n  - program: cupsd\n",
		"labels:\nhidden: []": "labels:\n  - ports: 5432\n    name: db\nhidden:\n  - program: cupsd\n",
		"{udp: true}\n":       "{udp: true, labels: [{ports: 5432, name: db}], hidden: [{program: cupsd}]}\n",
	} {
		f, path := newFile(t, text)
		s, err := f.ChangeLabels(func(label.Rules) label.Rules {
			return label.Rules{Labels: []label.Label{{On: watch.Rule{Ports: port(5432)}, Name: "db"}}, Hidden: []label.Hidden{{Program: "cupsd"}}}
		})
		if got := read(t, path); err != nil || strings.ReplaceAll(got, "\n\n", "\n") != strings.ReplaceAll(want, "\n\n", "\n") || len(s.Labels.Hidden) != 1 {
			t.Errorf("%q: error %v, got %q, want %q", text, err, got, want)
		}
	}
}

func TestInvalidLabels(t *testing.T) {
	for text, want := range map[string]string{
		"labels: 5432":                              "line 1: labels must be a list",
		"labels:\n  - 5432":                         "line 2: an entry of labels must have keys",
		"labels:\n  - ports: 5432":                  "line 2: a label needs a name",
		"labels:\n  - ports: 5432\n    nam: db":     `did you mean name?`,
		"labels:\n  - name: db":                     "line 2: a label needs ports",
		"labels:\n  - {ports: 5432, name: [a]}":     "line 2: name must be text",
		"labels:\n  - {ports: 0, name: a}":          "line 2: ",
		"labels:\n  - {match: '(', name: a}":        "line 2: match: ",
		"labels:\n  - {ports: 1, name: \"\\e\\t\"}": "line 2: a label needs a name",
		"labels:\n  - {ports: 80 81/udp, name: a}":  "TCP and UDP ports",
		"hidden: cupsd":                             "line 1: hidden must be a list",
		"hidden:\n  - {}":                           "line 2: this would hide everything",
		"hidden:\n  - {match: .}":                   "line 2: this would hide everything",
		"hidden:\n  - {ports: 1-65535}":             "line 2: this would hide everything",
		"hidden:\n  - {progam: cupsd}":              `did you mean program?`,
		"hidden:\n  - {program: ''}":                "line 2: program must be a name",
		"hidden:\n  - {program: [a]}":               "line 2: program must be a name",
		"hidden:\n  - {unit: a, exposed: maybe}":    "line 2: exposed must be true or false",
	} {
		f, path := newFile(t, text+"\n")
		_, err := f.Load()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got error %v, want one sentence with %q", text, err, want)
		}
		if _, err := f.ChangeLabels(func(r label.Rules) label.Rules { return r }); err == nil || read(t, path) != text+"\n" {
			t.Errorf("%q: a change got error %v and the file %q", text, err, read(t, path))
		}
	}
}

// A rule that would hide everything is not written either.
func TestHideEverythingIsRefused(t *testing.T) {
	f, path := newFile(t, labelled)
	_, err := f.ChangeLabels(func(r label.Rules) label.Rules { r.Hidden = append(r.Hidden, label.Hidden{}); return r })
	if err == nil || !strings.Contains(err.Error(), "everything") || read(t, path) != labelled {
		t.Errorf("got error %v and the file\n%s", err, read(t, path))
	}
}

func TestUnknownKeysOfLabels(t *testing.T) {
	f, _ := newFile(t, "labels:\n  - {ports: 80, name: a, colour: red}\nhidden:\n  - {program: a, names: b}\n")
	s, err := f.Load()
	if err != nil || len(s.Warnings) != 2 || !strings.Contains(s.Warnings[0].Error(), `"colour"`) || !strings.Contains(s.Warnings[1].Error(), `"names"`) {
		t.Errorf("got warnings %q, error %v, want one for each unknown key", s.Warnings, err)
	}
}
