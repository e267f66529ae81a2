package tray

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/assets"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/inuse"
	"porthole/monitor/watch"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("LANGUAGE", "en") // the tests expect English texts
	_ = os.Setenv("LC_ALL", "en_US.UTF-8")
	texts, err := assets.Translation("en")
	if err == nil {
		err = lang.AddTranslationsForLocale(texts, lang.SystemLocale())
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func snapshot(listeners ...*monitor.Listener) monitor.Snapshot {
	return monitor.Snapshot{Listeners: listeners}
}

func listenerAt(port uint16, name, project, address string) *monitor.Listener {
	l := &monitor.Listener{ID: fmt.Sprint(port, address), Port: port, Project: project, User: "root", Addresses: []netip.Addr{netip.MustParseAddr(address)}}
	if name != "" {
		l.Owners = []monitor.Owner{{PID: 9, Name: name}}
	}
	return l
}

func watching(texts ...string) watch.Rules {
	var rules watch.Rules
	for _, text := range texts {
		var rule watch.Rule
		if err := rule.ParsePorts(text); err != nil {
			panic(err)
		}
		rules = append(rules, rule)
	}
	return rules
}

func TestModel(t *testing.T) {
	node, pg := listenerAt(62893, "node", "acme-web", "127.0.0.1"), listenerAt(5432, "", "", "::1")
	mdns := listenerAt(5353, "avahi", "", "127.0.0.1")
	mdns.Protocol = monitor.UDP
	elsewhere := listenerAt(62893, "nc", "", "192.168.1.5")
	free := map[uint16]inuse.Answer{62893: {Port: 62893}, 5432: {Port: 5432}}
	for _, c := range []struct {
		name    string
		state   State
		icon    Icon
		tooltip string
		lines   []string
	}{
		{"nothing open", State{Rules: watching("62893", "5432"), Vacant: free}, Icon{}, "Porthole: 0 ports, 0 of 2 watched open", []string{"○ 62893 free", "○ 5432 free"}},
		{"one of two", State{Snapshot: snapshot(node), Rules: watching("62893", "5432"), Vacant: free}, Icon{Level: 2}, "Porthole: 1 port, 1 of 2 watched open", []string{"● 62893 node · acme-web", "○ 5432 free"}},
		{"all", State{Snapshot: snapshot(pg, node), Rules: watching("62893", "5432")}, Icon{Level: 4}, "Porthole: 2 ports, 2 of 2 watched open", []string{"● 62893 node · acme-web", "● 5432 unknown (user root)"}},
		{"nothing watched", State{Snapshot: snapshot(node)}, Icon{}, "Porthole: 1 port, none watched", nil},
		{"UDP", State{Snapshot: snapshot(mdns), Rules: watching("5353/udp", "53/udp", "5353")}, Icon{Level: 1}, "Porthole: 0 ports, 1 of 3 watched open", []string{"● 5353 UDP avahi", "○ 53/udp closed", "○ 5353 closed"}},
		{"UDP shown", State{Snapshot: snapshot(mdns), Rules: watching("5353/udp"), UDP: true}, Icon{Level: 4}, "Porthole: 1 port, 1 of 1 watched open", []string{"● 5353 UDP avahi"}},
		{"a range", State{Snapshot: snapshot(node), Rules: watching("3000-3999, 8080")}, Icon{}, "Porthole: 1 port, 0 of 1 watched open", []string{"○ 3000-3999, 8080 closed"}},
		{"overlapping rules", State{Snapshot: snapshot(node), Rules: watching("62893", "60000-65000")}, Icon{Level: 4}, "Porthole: 1 port, 2 of 2 watched open", []string{"● 62893 node · acme-web"}},
		{"another address", State{Snapshot: snapshot(elsewhere), Rules: watching("62893"), Vacant: free}, Icon{}, "Porthole: 0 ports, 0 of 1 watched open", []string{"○ 62893 free"}},
		{"unseen", State{Rules: watching("62893"), Unread: true, Vacant: free}, Icon{Dot: true}, "Porthole: 0 ports, 0 of 1 watched open", []string{"○ 62893 free"}},
		{"an alert replaces the dot", State{Rules: watching("62893"), Unread: true, Alert: true, Vacant: free}, Icon{Alert: true}, "Porthole: 0 ports, 0 of 1 watched open", []string{"○ 62893 free"}},
		{"paused", State{Rules: watching("62893"), Paused: true, Vacant: free}, Icon{Paused: true}, "Porthole: 0 ports, 0 of 1 watched open (notifications paused)", []string{"○ 62893 free"}},
		{"cannot read", State{Problem: "no netlink"}, Icon{}, "Porthole: can't read the ports", nil},
	} {
		m := NewModel(c.state)
		var lines []string
		for _, l := range m.Watched {
			lines = append(lines, l.Text)
		}
		if m.Icon != c.icon || m.Tooltip != c.tooltip || !slices.Equal(lines, c.lines) {
			t.Errorf("%s:\n got %+v %q %q\nwant %+v %q %q", c.name, m.Icon, m.Tooltip, lines, c.icon, c.tooltip, c.lines)
		}
		if !m.Equal(NewModel(c.state)) {
			t.Errorf("%s: models of the same state are not Equal", c.name)
		}
	}
}

// The menu says why a watched port can't be bound, and has the names of watches.
func TestVacantLines(t *testing.T) {
	at := netip.MustParseAddrPort
	taken := map[uint16]inuse.Answer{62893: {Port: 62893, Uses: []inuse.Use{
		{Kind: inuse.Bound, Protocol: monitor.TCP, Local: at("127.0.0.1:62893"), Owners: []monitor.Owner{{PID: 812, Name: "python3"}}}}}}
	last := map[lastowner.Port]history.Owner{
		{Protocol: monitor.TCP, Number: 62893}: {PID: 9, Name: "node", Project: "acme-web"},
		{Protocol: monitor.UDP, Number: 62893}: {User: "root"},
	}
	named := func(name, ports string) watch.Rules {
		rules := watching(ports)
		rules[0].Name = name
		return rules
	}
	for _, c := range []struct {
		state State
		want  string
	}{
		{State{Rules: watching("62893")}, "○ 62893 closed"},
		{State{Rules: watching("62893"), Vacant: taken}, "○ 62893 not free: python3 (PID 812) has bound it"},
		{State{Rules: named("shop", "62893"), Vacant: taken}, "○ shop (62893) not free: python3 (PID 812) has bound it"},
		{State{Rules: watching("62893"), Last: last}, "○ 62893 closed, last: node · acme-web"},
		{State{Rules: named("shop", "62893"), Last: last, Vacant: map[uint16]inuse.Answer{62893: {Port: 62893}}}, "○ shop (62893) free, last: node · acme-web"},
		{State{Rules: watching("62893"), Last: last, Vacant: taken}, "○ 62893 not free: python3 (PID 812) has bound it"},
		{State{Rules: watching("62893/udp"), Last: last}, "○ 62893/udp closed, last: unknown (user root)"},
		{State{Rules: watching("62890-62893"), Last: last}, "○ 62890-62893 closed"},
		{State{Rules: named("backends", "8080-8084")}, "○ backends (8080-8084) closed"},
		{State{Rules: named("shop", "62893"), Snapshot: snapshot(listenerAt(62893, "node", "acme-web", "127.0.0.1"))}, "● shop (62893) node · acme-web"},
	} {
		if lines := NewModel(c.state).Watched; len(lines) != 1 || lines[0].Text != c.want {
			t.Errorf("got %+v, want %q", lines, c.want)
		}
	}
}

func TestLevelIsFullOrEmptyOnlyIfAllOrNoneAreOpen(t *testing.T) {
	for open := range 12 {
		s := State{Rules: watching("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")}
		for p := range open {
			s.Snapshot.Listeners = append(s.Snapshot.Listeners, listenerAt(uint16(p+1), "x", "", "127.0.0.1"))
		}
		got := NewModel(s).Icon.Level
		if (got == 0) != (open == 0) || (got == 4) != (open == 11) {
			t.Errorf("%d of 11 open: got level %d", open, got)
		}
	}
}

func TestManyWatchesAreCounted(t *testing.T) {
	var texts []string
	for p := range 13 {
		texts = append(texts, fmt.Sprint(p+1))
	}
	m := NewModel(State{Rules: watching(texts...)})
	if len(m.Watched) != MaxWatched || m.More != "…and 3 more watched ports" {
		t.Errorf("got %d lines and %q, want %d and 3 more", len(m.Watched), m.More, MaxWatched)
	}
}

func TestServiceWatchesAndDisabledWatches(t *testing.T) {
	pattern, err := watch.ParsePattern("vite shop")
	if err != nil {
		t.Fatal(err)
	}
	vite := listenerAt(63101, "vite", "shop", "127.0.0.1")
	vite.Owners[0].Project = "shop"
	service, narrowed, off := watch.Rule{Match: pattern}, watching("5432")[0], watching("80")[0]
	narrowed.Match, off.Off = pattern, true
	rules := watch.Rules{service, narrowed, off}
	lines := func(listeners ...*monitor.Listener) (texts []string) {
		for _, l := range NewModel(State{Rules: rules, Snapshot: snapshot(listeners...)}).Watched {
			texts = append(texts, l.Text)
		}
		return texts
	}
	if got, want := lines(), []string{"○ vite shop not running", "○ 5432: vite shop not running"}; !slices.Equal(got, want) {
		t.Errorf("not running: got %q, want %q", got, want)
	}
	if got, want := lines(vite, listenerAt(5432, "postgres", "", "127.0.0.1")), []string{"● 63101 vite · shop", "○ 5432: vite shop not running"}; !slices.Equal(got, want) {
		t.Errorf("running: got %q, want %q", got, want)
	}
	if m := NewModel(State{Rules: rules, Snapshot: snapshot(vite)}); m.Icon.Level != 2 || !strings.HasSuffix(m.Tooltip, "1 of 2 watched open") {
		t.Errorf("got level %d, %q, want one of two enabled watches open", m.Icon.Level, m.Tooltip)
	}
}

func TestRecentEvents(t *testing.T) {
	if got := NewModel(State{}).Recent; len(got) != 1 || got[0].Text != "No events yet" || got[0].Port != 0 {
		t.Errorf("without events: got %+v, want one line", got)
	}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	var events []monitor.Event
	for i, kind := range []monitor.Kind{monitor.Opened, monitor.Opened, monitor.ExposureChanged, monitor.OwnerChanged, monitor.Closed, monitor.Opened} {
		events = append(events, monitor.Event{At: noon.Add(time.Duration(i) * time.Minute), Kind: kind, Listener: listenerAt(uint16(3000+i), "node", "", "127.0.0.1")})
	}
	var got []string
	for _, l := range NewModel(State{Recent: events}).Recent {
		got = append(got, l.Text)
	}
	want := []string{"12:05  3005 opened: node", "12:04  3004 closed: node", "12:03  3003 changed owner: node", "12:02  3002 changed exposure: node", "12:01  3001 opened: node"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAttemptsInTheMenu(t *testing.T) {
	m := NewModel(State{Rules: watching("62893", "80"), Attempts: []connection.Burst{{Port: 62893, LastMinute: 3}, {Port: 80}}})
	var got []string
	for _, l := range m.Watched {
		got = append(got, l.Text)
	}
	if want := []string{"○ 62893 closed, at least 3 attempts to connect in the last minute", "○ 80 closed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The tooltip counts a port as hidden if all of its listeners are.
func TestTooltipCountsHidden(t *testing.T) {
	server := func(port uint16, _ int, hidden bool) *monitor.Listener {
		l := &monitor.Listener{Protocol: monitor.TCP, Port: port, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
		l.Hidden = hidden
		return l
	}
	s := monitor.Snapshot{Listeners: []*monitor.Listener{server(80, 1, true), server(631, 2, true), server(3000, 3, false), server(3000, 4, true), server(4000, 5, true), server(4000, 6, false)}}
	if m := NewModel(State{Snapshot: s}); m.Tooltip != "Porthole: 2 ports +2 hidden, none watched" {
		t.Errorf("got %q", m.Tooltip)
	}
}
