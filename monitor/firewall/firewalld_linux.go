package firewall

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
	"go4.org/netipx"

	"porthole/monitor"
)

// This file reads a running firewalld over D-Bus (firewalld.dbus(5)). Ordinary users may
// do that if firewalld's polkit policy for desktops is in use. Debian installs the one for
// servers by default.

const (
	firewalldName = "org.fedoraproject.FirewallD1"
	firewalldPath = "/org/fedoraproject/FirewallD1"
)

// errNotRunning means that there is no firewalld.
var errNotRunning = errors.New("firewalld is not running")

// zones are the settings of firewalld.
type zones struct {
	panicking  bool // everything is dropped
	otherRules bool // there are direct rules or policies, which are not evaluated
	standard   string
	ofNetwork  map[string]string // zone by interface
	ofSource   map[string]string // zone by address, prefix, MAC address or "ipset:NAME"
	settings   map[string]zone
}

// zone is what a zone lets through, besides what its target says.
type zone struct {
	target    string
	ports     []portRange
	protocols []string
	forwards  []portRange
	rich      []string // rich rules (firewalld.richlanguage(5))
	depends   string   // a condition that is not evaluated
}

// portRange is a range of ports of a protocol.
type portRange struct {
	protocol  string
	low, high int
}

// firewalldClient calls methods of firewalld without starting it.
type firewalldClient struct {
	ctx context.Context
	bus dbus.BusObject
}

// readFirewalld reads the settings of the running firewalld. It returns errNotRunning if
// there is none, and errDenied if it does not let this user read them.
func readFirewalld(ctx context.Context) (*zones, error) {
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("%w: no system bus: %w", errNotRunning, err)
	}
	defer func() { _ = conn.Close() }() // nothing was written
	var owned bool
	err = conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, firewalldName).Store(&owned)
	if err != nil {
		return nil, fmt.Errorf("ask the system bus for firewalld: %w", err)
	}
	if !owned {
		return nil, errNotRunning
	}
	return firewalldClient{ctx, conn.Object(firewalldName, firewalldPath)}.read()
}

// call calls a method, such as "zone.getActiveZones", and stores its result.
func (c firewalldClient) call(result any, method string, args ...any) error {
	err := c.bus.CallWithContext(c.ctx, firewalldName+"."+method, dbus.FlagNoAutoStart, args...).Store(result)
	var refused dbus.Error
	if errors.As(err, &refused) && (strings.Contains(refused.Name, "NotAuthorized") || strings.Contains(refused.Name, "AccessDenied")) {
		return errDenied
	}
	if err != nil {
		return fmt.Errorf("ask firewalld for %s: %w", method, err)
	}
	return nil
}

func (c firewalldClient) read() (*zones, error) {
	z := &zones{ofNetwork: map[string]string{}, ofSource: map[string]string{}, settings: map[string]zone{}}
	if err := c.call(&z.panicking, "queryPanicMode"); err != nil {
		return nil, err
	}
	if err := c.call(&z.standard, "getDefaultZone"); err != nil {
		return nil, err
	}
	var active map[string]map[string][]string
	if err := c.call(&active, "zone.getActiveZones"); err != nil {
		return nil, err
	}
	wanted := []string{z.standard}
	for name, members := range active {
		wanted = append(wanted, name)
		for _, i := range members["interfaces"] {
			z.ofNetwork[i] = name
		}
		for _, s := range members["sources"] {
			z.ofSource[s] = name
		}
	}
	for _, name := range wanted {
		one, err := c.zone(name)
		if err != nil {
			return nil, err
		}
		z.settings[name] = one
	}
	return z, c.others(z)
}

// others finds out whether there are direct rules or policies for this machine. The
// policy allow-host-ipv6 is always there and concerns only ICMP.
func (c firewalldClient) others(z *zones) error {
	var policies map[string]map[string][]string
	if err := c.call(&policies, "policy.getActivePolicies"); err != nil && !unknownMethod(err) {
		return err
	}
	for name, p := range policies {
		if name != "allow-host-ipv6" && slices.Contains(p["egress_zones"], "HOST") {
			z.otherRules = true
		}
	}
	var direct [][]any
	if err := c.call(&direct, "direct.getAllRules"); err != nil && !unknownMethod(err) {
		return err
	}
	var passed [][]any // rules that are passed through to iptables
	if err := c.call(&passed, "direct.getAllPassthroughs"); err != nil && !unknownMethod(err) {
		return err
	}
	z.otherRules = z.otherRules || len(direct)+len(passed) > 0
	return nil
}

// unknownMethod reports whether firewalld is too old for a method.
func unknownMethod(err error) bool {
	var e dbus.Error
	return errors.As(err, &e) && (e.Name == "org.freedesktop.DBus.Error.UnknownMethod" || e.Name == "org.freedesktop.DBus.Error.UnknownInterface")
}

// zone reads the settings of a zone, with those of its services.
func (c firewalldClient) zone(name string) (z zone, _ error) {
	var settings map[string]dbus.Variant
	if err := c.call(&settings, "zone.getZoneSettings2", name); err != nil {
		return z, err
	}
	z.target, _ = settings["target"].Value().(string)
	z.rich, _ = settings["rules_str"].Value().([]string)
	z.protocols, _ = settings["protocols"].Value().([]string)
	z.ports = portRanges(settings["ports"])
	z.forwards = portRanges(settings["forward_ports"])
	if len(portRanges(settings["source_ports"])) > 0 {
		z.depends = monitor.ConditionSourcePort
	}
	services, _ := settings["services"].Value().([]string)
	seen := map[string]bool{}
	for len(services) > 0 {
		name := services[0]
		services = services[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		more, err := c.service(&z, name)
		if err != nil {
			return z, err
		}
		services = append(services, more...)
	}
	return z, nil
}

// service adds what a service lets through to z. It returns the services that it
// includes.
func (c firewalldClient) service(z *zone, name string) (includes []string, _ error) {
	var settings map[string]dbus.Variant
	if err := c.call(&settings, "getServiceSettings2", name); err != nil {
		return nil, err
	}
	if to, _ := settings["destination"].Value().(map[string]string); len(to) == 0 { // otherwise for multicast
		z.ports = append(z.ports, portRanges(settings["ports"])...)
	}
	protocols, _ := settings["protocols"].Value().([]string)
	z.protocols = append(z.protocols, protocols...)
	includes, _ = settings["includes"].Value().([]string)
	return includes, nil
}

// portRanges reads an array of structs that begin with a port or a range of ports, and
// a protocol.
func portRanges(v dbus.Variant) (out []portRange) {
	list, _ := v.Value().([][]any)
	for _, one := range list {
		if len(one) < 2 {
			continue
		}
		text, _ := one[0].(string)
		protocol, _ := one[1].(string)
		if low, high, ok := parseRange(text); ok {
			out = append(out, portRange{protocol, low, high})
		}
	}
	return out
}

// parseRange parses "80" or "8000-8010".
func parseRange(text string) (low, high int, ok bool) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	low, err1 := strconv.Atoi(first)
	high, err2 := strconv.Atoi(last)
	return low, high, err1 == nil && err2 == nil
}

func contains(ranges []portRange, protocol monitor.Protocol, port uint16) bool {
	return slices.ContainsFunc(ranges, func(r portRange) bool {
		return r.protocol == string(protocol) && r.low <= int(port) && int(port) <= r.high
	})
}

// richPort matches the port of a rich rule.
var richPort = regexp.MustCompile(`(?:^|\s)port port="([0-9-]+)" protocol="(\w+)"`)

// lets reports whether the zone lets connections to a port through. why is the condition
// on which that depends.
func (z zone) lets(protocol monitor.Protocol, port uint16) (open bool, why string) {
	for _, rule := range z.rich {
		m := richPort.FindStringSubmatch(rule)
		if m == nil {
			return false, quoted("rich rule")
		}
		if low, high, ok := parseRange(m[1]); !ok || contains([]portRange{{m[2], low, high}}, protocol, port) {
			return false, quoted("rich rule")
		}
	}
	switch {
	case contains(z.forwards, protocol, port):
		return false, quoted("forward port")
	case z.target == "ACCEPT", contains(z.ports, protocol, port), slices.Contains(z.protocols, string(protocol)):
		return true, ""
	}
	return false, z.depends
}

// answer returns whether firewalld lets other machines connect to l.
func (z *zones) answer(l *monitor.Listener, m machine) monitor.Firewall {
	none := m.impossible()
	var paths []path
	for _, c := range m.connections(l) {
		paths = append(paths, z.path(c))
	}
	f := monitor.Firewall{State: monitor.FirewallBlocked}
	switch {
	case len(paths) == 0:
		return monitor.UnknownFirewall(monitor.FirewallNoNetwork)
	case z.panicking:
	case z.otherRules:
		f = monitor.UnknownCondition(firewalld, monitor.ConditionPolicies)
	default:
		f = combine(firewalld, paths, none)
	}
	if l.Container != nil && l.Container.Published && f.State == monitor.FirewallBlocked {
		return monitor.UnknownFirewall(monitor.FirewallRedirected) // by the container engine, before firewalld
	}
	f.By = firewalld
	return f
}

// path returns who gets through by one way.
func (z *zones) path(c connection) path {
	everyone := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if c.to.Addr().Is6() {
		everyone = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	name, ok := z.ofNetwork[c.in.name]
	if !ok {
		name = z.standard
	}
	p := path{network: c.in.name}
	open, why := z.settings[name].lets(c.protocol, c.to.Port())
	if why != "" {
		p.why = append(p.why, why)
	}
	if open {
		p.open = ofPrefix(everyone)
	}
	for source, name := range z.ofSource {
		special, why := z.settings[name].lets(c.protocol, c.to.Port())
		from, ok := sourceSet(source)
		switch {
		case why != "":
			p.why = append(p.why, why)
		case !ok && special != open:
			p.why = append(p.why, quoted(source))
		case !ok:
		case special:
			p.open = union(p.open, intersect(from, ofPrefix(everyone)))
		default:
			p.open = subtract(p.open, from)
		}
	}
	p.full = subtract(ofPrefix(everyone), p.open) == nil && len(p.why) == 0
	return p
}

// sourceSet returns the addresses of a source; false for a MAC address or an ipset.
func sourceSet(source string) (*netipx.IPSet, bool) {
	if a, err := netip.ParseAddr(source); err == nil {
		return ofPrefix(netip.PrefixFrom(a, a.BitLen())), true
	}
	p, err := netip.ParsePrefix(source)
	if err != nil {
		return nil, false
	}
	return ofPrefix(p.Masked()), true
}
