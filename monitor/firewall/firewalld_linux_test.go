package firewall

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"porthole/internal/fakebus"
	"porthole/monitor"
)

// fakeFirewalld answers like firewalld 1.3: the types of its results are those of
// /usr/share/dbus-1/interfaces and of its sources.
type fakeFirewalld struct {
	panicking bool
	active    map[string]map[string][]string
	zones     map[string]map[string]dbus.Variant
	policies  map[string]map[string][]string
	direct    [][]any
	refused   bool // polkit does not let the caller read settings
}

type portSetting struct{ Port, Protocol string }

var services = map[string]map[string]dbus.Variant{
	"ssh":    {"ports": dbus.MakeVariant([]portSetting{{"22", "tcp"}})},
	"http":   {"ports": dbus.MakeVariant([]portSetting{{"80", "tcp"}})},
	"web":    {"includes": dbus.MakeVariant([]string{"http", "web"})}, // includes itself
	"mdns":   {"ports": dbus.MakeVariant([]portSetting{{"5353", "udp"}}), "destination": dbus.MakeVariant(map[string]string{"ipv4": "224.0.0.251"})},
	"tunnel": {"protocols": dbus.MakeVariant([]string{"gre"})},
}

// start serves f on a bus, which becomes the system bus of the test.
func (f fakeFirewalld) start(t *testing.T) {
	t.Helper()
	address := fakebus.Start(t)
	conn := fakebus.Dial(t, address)
	refusal := dbus.NewError("org.fedoraproject.FirewallD1.NotAuthorizedException", nil)
	export := func(methods map[string]any, name string) {
		if err := conn.ExportMethodTable(methods, firewalldPath, firewalldName+name); err != nil {
			t.Fatal(err)
		}
	}
	export(map[string]any{
		"queryPanicMode": func() (bool, *dbus.Error) { return f.panicking, nil },
		"getDefaultZone": func() (string, *dbus.Error) { return "public", nil },
		"getServiceSettings2": func(name string) (map[string]dbus.Variant, *dbus.Error) {
			return services[name], nil
		},
	}, "")
	export(map[string]any{
		"getActiveZones": func() (map[string]map[string][]string, *dbus.Error) { return f.active, nil },
		"getZoneSettings2": func(name string) (map[string]dbus.Variant, *dbus.Error) {
			if f.refused {
				return nil, refusal
			}
			return f.zones[name], nil
		},
	}, ".zone")
	if f.policies != nil {
		export(map[string]any{"getActivePolicies": func() (map[string]map[string][]string, *dbus.Error) { return f.policies, nil }}, ".policy")
	}
	export(map[string]any{
		"getAllRules":        func() ([][]any, *dbus.Error) { return f.direct, nil },
		"getAllPassthroughs": func() ([][]any, *dbus.Error) { return nil, nil },
	}, ".direct")
	fakebus.Own(t, conn, firewalldName)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
}

func settings(target string, more map[string]any) map[string]dbus.Variant {
	out := map[string]dbus.Variant{"target": dbus.MakeVariant(target)}
	for key, value := range more {
		out[key] = dbus.MakeVariant(value)
	}
	return out
}

func twoNetworks() machine {
	return machine{networks: []network{{name: "eth0", index: 2, address: netip.MustParseAddr("192.168.1.5")}, {name: "wg0", index: 3, address: netip.MustParseAddr("10.9.0.1")}}}
}

func exposed(protocol monitor.Protocol, port uint16) *monitor.Listener {
	return &monitor.Listener{ID: "x", Protocol: protocol, Port: port, Exposure: monitor.ExposureNetwork,
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Address: netip.IPv4Unspecified()}}}}
}

func TestFirewalld(t *testing.T) {
	public := settings("default", map[string]any{"services": []string{"ssh", "mdns", "tunnel"}, "ports": []portSetting{{"8000-8010", "tcp"}}})
	f := fakeFirewalld{
		active: map[string]map[string][]string{
			"public": {"interfaces": {"eth0"}}, "trusted": {"interfaces": {"wg0"}}, "office": {"sources": {"192.168.7.0/24"}},
		},
		zones: map[string]map[string]dbus.Variant{
			"public": public, "trusted": settings("ACCEPT", nil), "office": settings("default", map[string]any{"services": []string{"web"}}),
		},
		policies: map[string]map[string][]string{"allow-host-ipv6": {"ingress_zones": {"ANY"}, "egress_zones": {"HOST"}}},
	}
	with := func(change func(*fakeFirewalld)) fakeFirewalld {
		changed := f
		changed.active = map[string]map[string][]string{"public": {"interfaces": {"eth0", "wg0"}}}
		changed.zones = map[string]map[string]dbus.Variant{"public": public}
		change(&changed)
		return changed
	}
	zone := func(key string, value any) fakeFirewalld {
		return with(func(c *fakeFirewalld) {
			c.zones = map[string]map[string]dbus.Variant{"public": settings("default", map[string]any{key: value})}
		})
	}
	for _, c := range []struct {
		name     string
		bus      fakeFirewalld
		protocol monitor.Protocol
		port     uint16
		want     string
	}{
		{"port range", with(func(*fakeFirewalld) {}), monitor.TCP, 8005, "No firewall rule keeps other machines from connecting."},
		{"service", with(func(*fakeFirewalld) {}), monitor.TCP, 22, "No firewall rule keeps other machines from connecting."},
		{"other protocol", with(func(*fakeFirewalld) {}), monitor.UDP, 22, "The firewall blocks connections from other machines."},
		{"other port", with(func(*fakeFirewalld) {}), monitor.TCP, 8011, "The firewall blocks connections from other machines."},
		{"multicast service", with(func(*fakeFirewalld) {}), monitor.UDP, 5353, "The firewall blocks connections from other machines."},
		{"zones of interfaces", f, monitor.TCP, 9000, "The firewall lets other machines connect only through wg0, except 192.168.7.0/24."},
		{"zone of a source", with(func(c *fakeFirewalld) { c.active, c.zones = f.active, f.zones }), monitor.TCP, 80, "The firewall lets only IPv4 connect."},
		{"zone of a source alone", with(func(c *fakeFirewalld) {
			c.active = map[string]map[string][]string{"public": {"interfaces": {"eth0"}}, "office": {"sources": {"192.168.7.0/24"}}}
			c.zones = f.zones
		}), monitor.TCP, 80, "The firewall lets only 192.168.7.0/24 connect."},
		{"zone of a MAC address", with(func(c *fakeFirewalld) {
			c.active = map[string]map[string][]string{"office": {"sources": {"00:11:22:33:44:55"}}}
			c.zones = f.zones
		}), monitor.TCP, 80, "a rule depends on “00:11:22:33:44:55”."},
		{"protocol", zone("protocols", []string{"tcp"}), monitor.TCP, 80, "No firewall rule keeps other machines from connecting."},
		{"forward port", zone("forward_ports", [][]any{}), monitor.TCP, 80, "The firewall blocks connections from other machines."},
		{"rich rule of the port", zone("rules_str", []string{`rule family="ipv4" port port="80" protocol="tcp" accept`}), monitor.TCP, 80, "a rule depends on “rich rule”."},
		{"rich rule of another port", zone("rules_str", []string{`rule family="ipv4" port port="81-90" protocol="tcp" accept`}), monitor.TCP, 80, "The firewall blocks connections from other machines."},
		{"rich rule of a source", zone("rules_str", []string{`rule family="ipv4" source address="10.0.0.0/8" accept`}), monitor.TCP, 80, "a rule depends on “rich rule”."},
		{"source ports", zone("source_ports", []portSetting{{"53", "udp"}}), monitor.UDP, 4000, "a rule depends on the sender's port."},
		{"panic mode", with(func(c *fakeFirewalld) { c.panicking = true }), monitor.TCP, 22, "The firewall blocks connections from other machines."},
		{"policy", with(func(c *fakeFirewalld) {
			c.policies = map[string]map[string][]string{"mine": {"ingress_zones": {"ANY"}, "egress_zones": {"HOST"}}}
		}), monitor.TCP, 22, "policies or direct rules of firewalld."},
		{"direct rule", with(func(c *fakeFirewalld) {
			c.direct = [][]any{{"ipv4", "filter", "INPUT", int32(0), []string{"-j", "DROP"}}}
		}), monitor.TCP, 22, "policies or direct rules of firewalld."},
		{"old firewalld", with(func(c *fakeFirewalld) { c.policies = nil }), monitor.TCP, 22, "No firewall rule keeps other machines from connecting."},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.bus.start(t)
			z, err := readFirewalld(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := z.answer(exposed(c.protocol, c.port), twoNetworks()); !strings.HasSuffix(got.Sentence().String(), c.want) || got.By != firewalld {
				t.Errorf("got %q by %q, want %q", got.Sentence(), got.By, c.want)
			}
		})
	}
	t.Run("container", func(t *testing.T) { // the engine diverts connections before firewalld sees them
		with(func(*fakeFirewalld) {}).start(t)
		z, err := readFirewalld(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := exposed(monitor.TCP, 8011)
		l.Container = &monitor.Container{Published: true}
		if got := z.answer(l, twoNetworks()); got.State != monitor.FirewallUnknown {
			t.Errorf("got %+v, want unknown", got)
		}
	})
}

// What an ordinary user learns, with and without firewalld and ufw.
func TestAnswersForOrdinaryUsers(t *testing.T) {
	standard := ufwConfig
	t.Cleanup(func() { ufwConfig = standard })
	off, on := filepath.Join(t.TempDir(), "off"), filepath.Join(t.TempDir(), "on")
	for path, text := range map[string]string{off: "# ENABLED=yes\nENABLED=no\n", on: "# comment\nENABLED=yes\nLOGLEVEL=low\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() string {
		return readAsUser(t.Context(), twoNetworks()).judge(exposed(monitor.TCP, 22)).Why.Text
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
	for path, want := range map[string]string{"/nonexistent": monitor.FirewallNeedsRoot, off: monitor.FirewallNeedsRoot, on: monitor.FirewallUFWNeedsRoot} {
		if ufwConfig = path; ask() != want {
			t.Errorf("%s: got %q, want %q", path, ask(), want)
		}
	}
	fakeFirewalld{refused: true}.start(t)
	if got := ask(); got != monitor.FirewallDenied {
		t.Errorf("firewalld refuses: got %q, want %q", got, monitor.FirewallDenied)
	}
}

// A firewalld that could be started by asking is not asked.
func TestFirewalldIsNotStarted(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", fakebus.Start(t))
	if _, err := readFirewalld(t.Context()); !errors.Is(err, errNotRunning) {
		t.Errorf("got %v, want that it is not running", err)
	}
}
