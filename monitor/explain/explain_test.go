package explain

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"porthole/monitor"
)

func parsePorts(t testing.TB, text string) monitor.Ports {
	t.Helper()
	p, err := monitor.ParsePorts(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func listener(port uint16, name string, addresses ...string) *monitor.Listener {
	l := &monitor.Listener{Protocol: monitor.TCP, Port: port, Exposure: monitor.ExposureLoopback}
	if name != "" {
		l.Owners = []monitor.Owner{{PID: 47, Name: name}}
	}
	for _, a := range addresses {
		address := netip.MustParseAddr(strings.TrimSuffix(a, " only"))
		l.Addresses = append(l.Addresses, address)
		l.Sockets = append(l.Sockets, monitor.HeldSocket{Socket: monitor.Socket{Address: address, V6Only: strings.HasSuffix(a, " only")}})
		if monitor.ExposureOf(address) == monitor.ExposureNetwork {
			l.Exposure = monitor.ExposureNetwork
		}
	}
	return l
}

func TestExplanationText(t *testing.T) {
	linux := System{EphemeralPorts: parsePorts(t, "32768-60999"), ReservedPorts: parsePorts(t, "40000-40009"), Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fe80::5")}}
	vite := listener(62893, "node", "127.0.0.1", "::1")
	unit := listener(2947, "", "127.0.0.1")
	unit.Unit, unit.User = "gpsd.socket", "root"
	vite.Service, vite.ServiceBy = "Vite", monitor.ByCommand
	for _, c := range []struct {
		target    string
		listeners []*monitor.Listener
		system    System
		want      string
	}{
		{"62893", []*monitor.Listener{vite}, linux, "127.0.0.1 and ::1 are the IPv4 and IPv6 loopback addresses. Traffic to them never leaves this machine. " +
			"Port 62893 is a dynamic port (49152–65535). It is not assigned to any service, and any program can use it. " +
			"The port is outside the ephemeral port range of this system (32768–60999), so a program has to ask for it by number. " +
			"node (PID 47, Vite) listens on 127.0.0.1:62893, [::1]:62893. Local only: other machines cannot connect."},
		{"127.0.0.1:5432", nil, System{}, "127.0.0.1 is the loopback address: this machine itself. Traffic to it never leaves the machine. " +
			"Port 5432 is a registered port (1024–49151). IANA lists services for these ports, but any program can open them. " +
			"The usual service on this port is “PostgreSQL”, but any program can use it. Nothing listens there."},
		{"0.0.0.0:80", []*monitor.Listener{listener(80, "", "0.0.0.0")}, linux, "0.0.0.0 means all IPv4 addresses of this machine, on loopback and on its networks. " +
			"Port 80 is a well-known port (0–1023). These ports belong to standard services, and on many systems only an administrator can open them. " +
			"The port is outside the ephemeral port range of this system (32768–60999), so a program has to ask for it by number. The usual service on this port is “HTTP”, but any program can use it. " +
			"A process listens on 0.0.0.0:80; Porthole cannot see which one. Exposed to the network: other machines can connect unless a firewall blocks them."},
		{"192.168.1.5:8090", []*monitor.Listener{listener(8090, "caddy", "192.168.1.5"), listener(8090, "go", "127.0.0.1")}, linux,
			"192.168.1.5 is an address in a private network, such as a home, office or container network. Machines in that network can use it; the internet cannot reach it. " +
				"Port 8090 is a registered port (1024–49151). IANA lists services for these ports, but any program can open them. " +
				"The port is outside the ephemeral port range of this system (32768–60999), so a program has to ask for it by number. " +
				"caddy (PID 47) listens on 192.168.1.5:8090. Exposed to the network: other machines can connect unless a firewall blocks them. The port does not answer on localhost. " +
				"The same port is in use on 127.0.0.1:8090. Connections to this address do not reach it."},
		{"127.0.0.1:2947", []*monitor.Listener{unit}, System{}, "127.0.0.1 is the loopback address: this machine itself. Traffic to it never leaves the machine. " +
			"Port 2947 is a registered port (1024–49151). IANA lists services for these ports, but any program can open them. The usual service on this port is “gpsd”, but any program can use it. " +
			"The systemd unit gpsd.socket listens on 127.0.0.1:2947; Porthole cannot see which process. Local only: other machines cannot connect."},
		{"127.0.0.1", nil, linux, "127.0.0.1 is the loopback address: this machine itself. Traffic to it never leaves the machine."},
	} {
		target, err := Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewFacts(target, c.listeners, c.system).String(); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.target, got, c.want)
		}
	}
}

// Each kind of address, with the start of its sentence.
func TestKindOf(t *testing.T) {
	for address, want := range map[string]struct {
		kind Kind
		part string
	}{
		"127.0.0.53":       {Loopback, "a loopback address, like all of 127.0.0.0/8"},
		"::1":              {Loopback, "the IPv6 loopback address"},
		"::":               {Wildcard, "all IPv6 addresses of this machine"},
		"::ffff:127.0.0.1": {Loopback, "::ffff:127.0.0.1 is the IPv4 address 127.0.0.1 in IPv6 notation. 127.0.0.1 is the loopback address:"},
		"169.254.7.7":      {LinkLocal, "link-local"},
		"fe80::5%eth0":     {LinkLocal, "fe80::5%eth0 is a link-local"},
		"10.1.2.3":         {Private, "private network"},
		"172.31.255.255":   {Private, "private network"},
		"172.32.0.0":       {Network, "an address on a network"},
		"fd00::7":          {Private, "private network"},
		"2001:db8::1":      {Network, "an address on a network"},
		"224.0.0.251":      {Special, "not the address of a single machine"},
		"ff02::1":          {Special, "not the address of a single machine"},
		"255.255.255.255":  {Special, "not the address of a single machine"},
		"0.1.2.3":          {Special, "not the address of a single machine"},
	} {
		a := netip.MustParseAddr(address)
		if kind := KindOf(a); kind != want.kind {
			t.Errorf("%s: got %s, want %s", address, kind, want.kind)
		}
		if text := NewFacts(Target{Address: a}, nil, System{}).String(); !strings.Contains(text, want.part) {
			t.Errorf("%s: got %q, want it to contain %q", address, text, want.part)
		}
	}
	if text := NewFacts(Target{Localhost: true}, nil, System{}).String(); !strings.Contains(text, "127.0.0.1, or ::1") {
		t.Errorf("localhost: got %q", text)
	}
}

func TestPortRangeOf(t *testing.T) {
	for port, want := range map[uint16]PortRange{1: WellKnown, 1023: WellKnown, 1024: Registered, 49151: Registered, 49152: Dynamic, 65535: Dynamic} {
		if got := PortRangeOf(port); got != want {
			t.Errorf("port %d: got %s, want %s", port, got, want)
		}
	}
}

func TestEphemeralStatus(t *testing.T) {
	s := System{EphemeralPorts: parsePorts(t, "32768-60999"), ReservedPorts: parsePorts(t, "40000, 70-80")}
	for port, want := range map[uint16]EphemeralStatus{32767: NotEphemeral, 32768: Ephemeral, 40000: ReservedEphemeral, 60999: Ephemeral, 61000: NotEphemeral, 75: NotEphemeral} {
		if got := NewFacts(Target{Port: port}, nil, s).Ephemeral; got != want {
			t.Errorf("port %d: got %q, want %q", port, got, want)
		}
	}
	if f := NewFacts(Target{Port: 40000}, nil, System{}); f.Ephemeral != "" || strings.Contains(f.String(), "ephemeral port range") {
		t.Errorf("unknown range: got %q, %q", f.Ephemeral, f)
	}
}

// Which listeners on a port an address reaches.
func TestTargetReachesListeners(t *testing.T) {
	own := System{Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fe80::5")}}
	for _, c := range []struct {
		target, bound           string
		reaches, onOtherMachine bool
		hasOther                bool
	}{
		{target: "127.0.0.1:80", bound: "127.0.0.1", reaches: true},
		{target: "127.0.0.1:80", bound: "127.0.0.2", hasOther: true},
		{target: "127.0.0.1:80", bound: "::1", hasOther: true},
		{target: "127.0.0.1:80", bound: "0.0.0.0", reaches: true},
		{target: "127.0.0.1:80", bound: "::", reaches: true},
		{target: "127.0.0.1:80", bound: ":: only", hasOther: true},
		{target: "127.0.0.1:80", bound: "::ffff:127.0.0.1", reaches: true},
		{target: "[::ffff:127.0.0.1]:80", bound: "127.0.0.1", reaches: true},
		{target: "[::1]:80", bound: "0.0.0.0", hasOther: true},
		{target: "[::1]:80", bound: ":: only", reaches: true},
		{target: "localhost:80", bound: "::1", reaches: true},
		{target: "localhost:80", bound: "127.0.0.2", hasOther: true},
		{target: "0.0.0.0:80", bound: "127.0.0.1", reaches: true},
		{target: "0.0.0.0:80", bound: "::", reaches: true},
		{target: "0.0.0.0:80", bound: "::1", hasOther: true},
		{target: "0.0.0.0:80", bound: ":: only", hasOther: true},
		{target: "[::]:80", bound: "127.0.0.1", reaches: true},
		{target: "80", bound: "192.168.1.5", reaches: true},
		{target: "192.168.1.5:80", bound: "0.0.0.0", reaches: true},
		{target: "192.168.1.6:80", bound: "0.0.0.0", onOtherMachine: true, hasOther: true},
		{target: "192.168.1.6:80", bound: "192.168.1.6", reaches: true}, // bound to an address that the machine does not have
		{target: "[fe80::5%eth0]:80", bound: "fe80::5%eth0", reaches: true},
		{target: "[fe80::5]:80", bound: "fe80::5%eth0", reaches: true},
		{target: "[fe80::5%eth1]:80", bound: "fe80::5%eth0", hasOther: true},
	} {
		target, err := Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		f := NewFacts(target, []*monitor.Listener{listener(80, "node", c.bound), listener(81, "other", c.bound)}, own)
		text := f.String()
		if reaches := len(f.Listeners) == 1; reaches != c.reaches || f.OnOtherMachine != c.onOtherMachine || (len(f.OtherListeners) == 1) != c.hasOther {
			t.Errorf("%s, bound to %s: got reaches %v, other machine %v, %d other listeners; want %+v", c.target, c.bound, reaches, f.OnOtherMachine, len(f.OtherListeners), c)
		}
		if strings.Contains(text, "Nothing listens") != (!c.reaches && !c.onOtherMachine) || strings.Contains(text, "this address do not reach") != c.hasOther {
			t.Errorf("%s, bound to %s: got %q", c.target, c.bound, text)
		}
	}
	if f := NewFacts(Target{Address: netip.MustParseAddr("8.8.8.8"), Port: 53}, nil, System{}); f.OnOtherMachine {
		t.Error("got another machine although this machine's addresses are unknown")
	}
}

// Names are hostile, and there may be many listeners on one port.
func TestExplanationIsClean(t *testing.T) {
	long := strings.Repeat("x\n\x1b[31m\u202e{{.PID}}", 1<<12)
	var many []*monitor.Listener
	for range 50 {
		l := listener(80, long, "127.0.0.1", "::1", "0.0.0.0", "10.0.0.1", "fe80::1%eth0", "2001:db8::1")
		l.Service, l.ServiceBy, l.User = long, monitor.ByCommand, long
		many = append(many, l, listener(80, "", "127.0.0.2"))
	}
	many[1].User = long
	text := NewFacts(Target{Port: 80}, many, System{}).String()
	if text != monitor.Clean(text, 1<<12) || utf8.RuneCountInString(text) > 2500 || strings.Contains(text, "process {{") {
		t.Errorf("got %d runes: %.300q", utf8.RuneCountInString(text), text)
	}
	if !strings.Contains(text, "Other listeners use this port too.") {
		t.Error("the text does not mention further listeners")
	}
}

func TestTextsListsEverySentence(t *testing.T) {
	texts := map[string]bool{}
	for _, text := range Texts() {
		if texts[text] {
			t.Errorf("duplicate text: %q", text)
		}
		texts[text] = true
	}
	seen := map[string]bool{}
	system := System{EphemeralPorts: parsePorts(t, "32768-60999"), ReservedPorts: parsePorts(t, "40000"), Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.5")}}
	unknown, shared := listener(80, "", "192.168.1.5"), listener(80, "nginx", "127.0.0.1")
	unknown.User = "root"
	unit := listener(80, "", "0.0.0.0")
	unit.Unit = "nginx.service"
	kernel := listener(80, "", "0.0.0.0")
	kernel.User, kernel.OwnerUnknown = "root", monitor.UnknownKernel
	shared.Owners = append(shared.Owners, shared.Owners...)
	known := listener(80, "caddy", "::1")
	known.Service, known.ServiceBy = "Caddy", monitor.ByProgram
	blocked, allowed := listener(80, "x", "0.0.0.0"), listener(80, "x", "0.0.0.0")
	blocked.ID, allowed.ID = "blocked", "allowed"
	system.Firewall = map[string]monitor.Firewall{"blocked": {State: monitor.FirewallBlocked}, "allowed": {State: monitor.FirewallAllowed}}
	tunnelled := listener(80, "x", "0.0.0.0")
	tunnelled.ID = "allowed"
	tunnelled.SetTunnels([]monitor.Tunnel{{Through: "ngrok", Reach: monitor.ReachInternet}})
	for _, text := range monitor.FirewallTexts() {
		texts[text], seen[text] = true, true // see package monitor
	}
	all := []*monitor.Listener{unknown, shared, known, listener(80, "", "0.0.0.0"), listener(80, "x", "::")}
	for _, target := range []string{"80", "127.0.0.1:80", "[::1]:80", "127.0.0.2:80", "localhost:1", "0.0.0.0:80", "[::]:80", "169.254.1.1", "10.0.0.1", "8.8.8.8:40000",
		"224.0.0.1", "[::ffff:127.0.0.1]:50000", "65000", "192.168.1.5:80"} {
		for _, listeners := range [][]*monitor.Listener{nil, all, {unknown}, {unit}, {kernel}, {blocked}, {allowed}, {tunnelled}, {shared}, {known}, {all[3]}, {all[4]}, {all[3], all[4]}, {listener(80, "x", "127.0.0.1", "::1")}} {
			parsed, err := Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range NewFacts(parsed, listeners, system).Sentences() {
				seen[s.Text] = true
				if !texts[s.Text] {
					t.Errorf("Texts lacks %q", s.Text)
				}
				if text := s.String(); strings.Contains(text, "{{") {
					t.Errorf("%q: placeholder without data", text)
				}
			}
		}
	}
	for text := range texts {
		if !seen[text] {
			t.Errorf("no case covers %q", text)
		}
	}
}
