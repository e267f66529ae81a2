package watch

import (
	"strings"
	"testing"

	"porthole/monitor"
)

func udp(l *monitor.Listener) *monitor.Listener {
	l.Protocol = monitor.UDP
	return l
}

// portsRule returns the rule for ports in the syntax of the settings file.
func portsRule(t *testing.T, ports string) (rule Rule) {
	t.Helper()
	if err := rule.ParsePorts(ports); err != nil {
		t.Fatal(err)
	}
	return rule
}

func portsText(rules Rules) string {
	var texts []string
	for _, rule := range rules {
		text := rule.PortsText() + rule.Match.String()
		if rule.Off {
			text += " off"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

func TestParsePortsOfARule(t *testing.T) {
	for text, want := range map[string]string{
		"5353/udp": "5353/udp", "53/UDP, 100-110/udp": "53/udp, 100-110/udp", "40001-40008, -40003": "40001-40008, -40003",
		"1-9/udp -3-4": "1-9/udp, -3-4/udp", "-5173": "-5173", "80 443": "80, 443",
	} {
		rule := portsRule(t, text)
		if got := rule.PortsText(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if again := portsRule(t, rule.PortsText()); !again.Equal(rule) {
			t.Errorf("%q: got %+v from its own text, want %+v", text, again, rule)
		}
	}
	for _, text := range []string{"", "53/udp, 80", "5353/tcp", "-", "/udp", "--3", "0/udp", "80-/udp"} {
		var rule Rule
		if err := rule.ParsePorts(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, rule)
		}
	}
}

func TestUDPRules(t *testing.T) {
	rule := portsRule(t, "5353/udp")
	tcp, datagram := listener("127.0.0.1", 5353), udp(listener("127.0.0.1", 5353))
	if rule.Matches(tcp) || !rule.Matches(datagram) || portsRule(t, "5353").Matches(datagram) {
		t.Error("rules match listeners of the other protocol")
	}
	if (Rules{rule}).WatchesPort(5353) || (Rules{rule}).HasSimple(5353) {
		t.Error("a UDP rule counts as a watch of the TCP port")
	}
	p := newScript(t, rule)
	p.events("opened 5353", eventOf(monitor.Opened, udp(newListener("a", 5353, "avahi", "/"))), eventOf(monitor.Opened, newListener("b", 5353, "x", "/")))
}

// The star shows whether any rule matches, and toggles that.
func TestWatchAndUnwatchToggleWhatTheStarShows(t *testing.T) {
	vite := patternRule(t, "vite", "")
	for _, c := range []struct {
		rules            Rules
		l                *monitor.Listener
		unwatched, again string
	}{
		{Rules{portsRule(t, "3000")}, newListener("a", 3000, "node", "/"), "", "3000"},
		{Rules{portsRule(t, "5353/udp")}, udp(newListener("a", 5353, "node", "/")), "", "5353/udp"},
		{Rules{portsRule(t, "5353"), portsRule(t, "5353/udp")}, udp(newListener("a", 5353, "node", "/")), "5353", "5353; 5353/udp"},
		{Rules{portsRule(t, "40001-40008")}, newListener("a", 40003, "node", "/"), "40001-40008, -40003", "40001-40008"},
		{Rules{portsRule(t, "40001-40008"), portsRule(t, "40003")}, newListener("a", 40003, "node", "/"), "40001-40008, -40003", "40001-40008"},
		{Rules{vite}, newListener("a", 5173, "vite", "/"), "-5173vite", "vite"},
		{Rules{vite, portsRule(t, "1-9")}, newListener("a", 5173, "vite", "/"), "-5173vite; 1-9", "vite; 1-9"},
		{Rules{patternRule(t, "vite", "5173")}, newListener("a", 5173, "vite", "/"), "5173vite off", "5173vite off; 5173"},
	} {
		before := portsText(c.rules)
		left := c.rules.Unwatch(c.l)
		if got := portsText(left); got != c.unwatched || left.Matches(c.l) {
			t.Errorf("%s: Unwatch: got %q, want %q", before, got, c.unwatched)
		}
		back := left.Watch(c.l)
		if got := portsText(back); got != c.again || !back.Matches(c.l) {
			t.Errorf("%s: Watch after Unwatch: got %q, want %q", before, got, c.again)
		}
		if silent := c.rules.Silence(c.l); silent.Matches(c.l) || len(silent) != len(c.rules) {
			t.Errorf("%s: Silence: got %q, which matches or lacks a rule", before, portsText(silent))
		}
		if got := portsText(c.rules); got != before {
			t.Errorf("the rules %s were changed to %s", before, got)
		}
	}
}
