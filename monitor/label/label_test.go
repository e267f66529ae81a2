package label

import (
	"net/netip"
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// server returns a listener of a program in a project.
func server(port uint16, program, project string) *monitor.Listener {
	o := monitor.Owner{PID: 10, Name: program, Project: project, Folder: "/src/" + project}
	return &monitor.Listener{Protocol: monitor.TCP, Port: port, Exposure: monitor.ExposureLoopback, Addresses: []netip.Addr{netip.IPv6Loopback()}, Owners: []monitor.Owner{o}, Project: project}
}

func onPorts(t *testing.T, text string) (rule watch.Rule) {
	t.Helper()
	if err := rule.ParsePorts(text); err != nil {
		t.Fatal(err)
	}
	return rule
}

func matching(t *testing.T, text string) watch.Rule {
	t.Helper()
	p, err := watch.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return watch.Rule{Match: p}
}

func TestLabels(t *testing.T) {
	both := onPorts(t, "3000")
	both.Match = matching(t, "vite").Match
	rules := Rules{Labels: []Label{
		{On: matching(t, "^node$ ^shop$"), Name: "shop server"},
		{On: onPorts(t, "3000-3009"), Name: "first range", Note: "a note"},
		{On: onPorts(t, "3000"), Name: "later"},
		{On: both, Name: "vite on 3000"},
		{On: onPorts(t, "5353/udp"), Name: "names"},
	}}
	udp := server(5353, "avahi-daemon", "")
	udp.Protocol = monitor.UDP
	for _, test := range []struct {
		l    *monitor.Listener
		want string
	}{
		{server(8080, "node", "shop"), "shop server"},
		{server(8080, "node", "shop-api"), ""},
		{server(8080, "nodemon", "shop"), ""},
		{server(3000, "node", "shop"), "first range"}, // ports come before a service
		{server(3000, "vite", "shop"), "vite on 3000"},
		{udp, "names"},
		{server(5353, "avahi-daemon", ""), ""},
	} {
		rules.Describe(test.l)
		if test.l.Label != test.want || test.want == "first range" && test.l.Note != "a note" {
			t.Errorf("%s on %d in %s: got label %q, note %q, want %q", test.l.Owners[0].Name, test.l.Port, test.l.Project, test.l.Label, test.l.Note, test.want)
		}
	}
	gone := server(3000, "x", "")
	gone.Label, gone.Hidden = "old", true
	Rules{}.Describe(gone)
	if gone.Label != "" || gone.Hidden {
		t.Errorf("without rules: got %q, hidden %v, want neither", gone.Label, gone.Hidden)
	}
}

// What is offered for a listener labels it, and the next one of its kind.
func TestLabelsOffered(t *testing.T) {
	l := server(3000, "node", "a.b (c)")
	service, ok := OfService(l)
	if !ok || !service.On.IsAbout(server(4000, "node", "a.b (c)")) || service.On.IsAbout(server(4000, "node", "axb (c)")) {
		t.Errorf("a service: got %v, %q", ok, service.On.Match)
	}
	if port := OfPort(l); !port.On.IsAbout(server(3000, "python3", "")) || port.On.IsAbout(server(3001, "node", "a.b (c)")) {
		t.Errorf("a port: got %q", port.On.PortsText())
	}
	if _, ok := OfService(&monitor.Listener{Port: 3000}); ok {
		t.Error("an unknown owner has a service")
	}
}

func TestCleaned(t *testing.T) {
	got := Label{Name: " a\x1b[31m\u202eb\n ", Note: strings.Repeat("x", 1000)}.Cleaned()
	if got.Name != "a [31m b" || len([]rune(got.Note)) != MaxNote {
		t.Errorf("got %q and %d characters", got.Name, len([]rune(got.Note)))
	}
}

func TestHiding(t *testing.T) {
	rules := Rules{Hidden: []Hidden{
		{On: onPorts(t, "631"), Program: "cupsd"},
		{Program: "spotify"},
		{Unit: "avahi-daemon.service", Exposed: true},
		{Program: "ngrokd", Exposed: true, Public: true},
		{On: matching(t, "jetbrains")},
	}}
	unit := server(5353, "avahi-daemon", "")
	unit.Unit, unit.Exposure, unit.Protocol = "avahi-daemon.service", monitor.ExposureNetwork, monitor.UDP
	public, accepted := server(5353, "avahi-daemon", ""), server(4443, "ngrokd", "")
	public.Unit, public.Exposure, accepted.Exposure = "avahi-daemon.service", monitor.ExposurePublic, monitor.ExposurePublic
	exposed := server(631, "cupsd", "")
	exposed.Exposure = monitor.ExposureNetwork
	for what, test := range map[string]struct {
		l    *monitor.Listener
		want bool
	}{
		"port and program":            {server(631, "cupsd", ""), true},
		"the program's other port":    {server(632, "cupsd", ""), false},
		"the port's other program":    {server(631, "nc", ""), false},
		"a program":                   {server(50000, "spotify", ""), true},
		"a longer name":               {server(50000, "spotifyd", ""), false},
		"an exposed unit":             {unit, true},
		"words":                       {server(63342, "java", "jetbrains-toolbox"), true},
		"reachable from the network":  {exposed, false},
		"an exposed unit, now public": {public, false},
		"seen to be public":           {accepted, true},
	} {
		if rules.Describe(test.l); test.l.Hidden != test.want {
			t.Errorf("%s: hidden = %v, want %v", what, test.l.Hidden, test.want)
		}
		if hiding := rules.Hiding(test.l); (len(hiding) > 0) != test.want {
			t.Errorf("%s: hidden by %v", what, hiding)
		}
	}
}

// Each rule that is offered hides the listener and is accepted.
func TestHideOffers(t *testing.T) {
	l := server(631, "cupsd", "")
	l.Unit = "cups.service"
	unknown := server(22, "", "")
	unknown.Owners, unknown.Unit, unknown.Exposure = nil, "ssh.socket", monitor.ExposureNetwork
	scope := server(3000, "node", "")
	scope.Unit = "session-2.scope"
	for _, test := range []struct {
		l    *monitor.Listener
		want int
	}{{l, 3}, {unknown, 2}, {scope, 2}, {&monitor.Listener{Port: 111, Exposure: monitor.ExposureLoopback}, 1}} {
		rules := Hide(test.l)
		if len(rules) != test.want {
			t.Errorf("port %d: got %d rules, want %d: %+v", test.l.Port, len(rules), test.want, rules)
		}
		for _, h := range rules {
			if err := h.Check(); err != nil || !h.Hides(test.l) {
				t.Errorf("%+v: error %v, hides %v", h, err, h.Hides(test.l))
			}
		}
	}
}

func TestRulesThatHideEverything(t *testing.T) {
	all, most := onPorts(t, "1-65535"), onPorts(t, "1-65534")
	for _, on := range []watch.Rule{{}, all, matching(t, "."), matching(t, ".*"), matching(t, `\w x*`), matching(t, "[a-z]"), matching(t, "^")} {
		if err := (Hidden{On: on}).Check(); err == nil {
			t.Errorf("%q %q: accepted", on.PortsText(), on.Match)
		}
		if err := (Hidden{On: on, Program: "cupsd"}).Check(); err != nil {
			t.Errorf("%q %q of cupsd: %v", on.PortsText(), on.Match, err)
		}
	}
	for _, on := range []watch.Rule{most, matching(t, "node"), matching(t, "^a")} {
		if err := (Hidden{On: on}).Check(); err != nil {
			t.Errorf("%q %q: %v", on.PortsText(), on.Match, err)
		}
	}
}

func TestChange(t *testing.T) {
	a, b, c := Hidden{Program: "a"}, Hidden{Program: "b"}, Hidden{Program: "c"}
	got := Rules{Hidden: Change([]Hidden{a, b}, []Hidden{c, b}, []Hidden{a})}
	if want := (Rules{Hidden: []Hidden{c, b}}); !got.Equal(want) {
		t.Errorf("got %+v, want %+v: the new one takes the place of the removed one", got, want)
	}
}
