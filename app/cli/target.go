package cli

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/stop"
	"porthole/ui/filter"
)

// target selects listeners: those on a port, or those that accept connections to an
// address on that port.
type target struct {
	explain.Target
}

// selection is what the arguments of a command select.
type selection struct {
	ports   monitor.Ports // ports and ranges; all if nil and there are no targets
	targets []target      // addresses with a port
	words   filter.Filter
}

// parseSelection parses ports, ranges, addresses with a port, URLs and pasted lines,
// of which a listener must match one, and words, which it must all match, as in the
// window's filter. The error is a UsageError.
func parseSelection(args []string) (s selection, _ error) {
	var ports, words []string
	for _, arg := range args {
		switch t, err := explain.Parse(arg); {
		case strings.Trim(arg, portCharacters) == "":
			ports = append(ports, arg)
		case err == nil && t.Port != 0 && !target{t}.hasAddress():
			ports = append(ports, strconv.Itoa(int(t.Port)))
		case err == nil && t.Port != 0:
			s.targets = append(s.targets, target{t})
		case err != nil && (endsWithPort.MatchString(arg) || filter.IsMessage(arg)):
			return s, UsageError{err.Error()}
		default:
			words = append(words, arg)
		}
	}
	s.words = filter.Parse(strings.Join(words, " "))
	if len(ports) == 0 {
		return s, nil
	}
	var err error
	if s.ports, err = monitor.ParsePorts(ports...); err != nil {
		return s, UsageError{err.Error()}
	}
	return s, nil
}

// endsWithPort matches a host with a port, which is not a word to search for.
var endsWithPort = regexp.MustCompile(`[\w\]]:\d+$|://`)

// allPorts returns the ports of s, nil for all.
func (s selection) allPorts() (monitor.Ports, error) {
	if len(s.targets) == 0 {
		return s.ports, nil
	}
	ports, err := portsOf(s.targets)
	if err != nil || s.ports == nil {
		return ports, err
	}
	return monitor.ParsePorts(s.ports.String(), ports.String())
}

// keep reports whether s selects l. Without all, ports and words select only what
// loopback reaches; an address selects what it reaches.
func (s selection) keep(l *monitor.Listener, all bool) bool {
	if slices.ContainsFunc(s.targets, func(t target) bool { return t.matches(l) && (all || t.hasAddress() || l.AcceptsLoopback()) }) {
		return true
	}
	return (s.ports.Contains(l.Port) || s.ports == nil && len(s.targets) == 0) && (all || l.AcceptsLoopback())
}

// portCharacters are the characters of ports, ranges and lists of them.
const portCharacters = "0123456789-–,; \t"

// parseTarget parses a port, an address with a port, a URL, or a pasted line that
// contains one. The error is a UsageError.
func parseTarget(text string) (target, error) {
	if strings.Trim(text, portCharacters) == "" {
		port, err := ParsePort(text)
		return target{explain.Target{Port: port}}, err
	}
	t, err := explain.Parse(text)
	if err != nil {
		return target{}, UsageError{err.Error()}
	}
	if t.Port == 0 {
		return target{}, UsageError{fmt.Sprintf("%q: the port is missing, as in %s:9603", monitor.Clean(text, 60), t)}
	}
	return target{t}, nil
}

// parseTargets parses several targets.
func parseTargets(texts []string) (targets []target, _ error) {
	for _, text := range texts {
		t, err := parseTarget(text)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// joinLine returns the words of a pasted line that was not quoted as one argument, and
// other arguments as they are.
func joinLine(args []string) []string {
	line := strings.Join(args, " ")
	if len(args) < 2 || areTargets(args) || !filter.IsMessage(line) {
		return args
	}
	if _, ok := explain.Find(line); !ok {
		return args
	}
	return []string{line}
}

// areTargets reports whether each of args is a target.
func areTargets(args []string) bool {
	_, err := parseTargets(args)
	return err == nil
}

// addresses returns the addresses of the target; none if it is only a port.
func (t target) addresses() []netip.Addr {
	switch {
	case t.Localhost:
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	case t.Address.IsValid():
		return []netip.Addr{t.Address}
	}
	return nil
}

// hasAddress reports whether the target is more than a port.
func (t target) hasAddress() bool { return t.Localhost || t.Address.IsValid() }

// matches reports whether the target selects l.
func (t target) matches(l *monitor.Listener) bool { return l.Port == t.Port && t.Reaches(l) }

// portsOf returns the ports of targets.
func portsOf(targets []target) (monitor.Ports, error) {
	var texts []string
	for _, t := range targets {
		texts = append(texts, strconv.Itoa(int(t.Port)))
	}
	return monitor.ParsePorts(texts...)
}

// vacancyText describes a target that nothing listens on. where is "" or " on loopback",
// for a target without an address.
func (t target) vacancyText(ctx context.Context, where string) string {
	a := inuse.Ask(ctx, t.Port)
	switch {
	case !t.hasAddress() || a.Err != nil:
		return vacancyText(ctx, a, where)
	case len(a.Uses) == 0:
		return fmt.Sprintf("%s is free.%s", t, lastOwnerText(ctx, t.Port, time.Now()))
	}
	return fmt.Sprintf("Nothing listens on %s. %s", t, reasonsText(a.Uses))
}

// narrow returns listeners with only the sockets that the targets reach, if s selects
// nothing but addresses.
func (s selection) narrow(listeners []*monitor.Listener) (out []*monitor.Listener) {
	if s.ports != nil || len(s.targets) == 0 {
		return listeners
	}
	for _, l := range listeners {
		narrowed := stop.Narrow(l, func(k monitor.Socket) bool {
			one := monitor.Listener{Port: l.Port, Sockets: []monitor.HeldSocket{{Socket: k}}}
			return slices.ContainsFunc(s.targets, func(t target) bool { return t.matches(&one) })
		})
		if narrowed != nil {
			out = append(out, narrowed)
		}
	}
	return out
}
