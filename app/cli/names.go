package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/label"
	"porthole/monitor/owner"
	"porthole/ui/filter"
)

// This file finds listeners by name where a command takes a port.

// aName matches the names of services, projects, labels, processes and containers: they
// have a letter.
var aName = regexp.MustCompile(`^[\pL\pN@._/+ -]*\pL[\pL\pN@._/+ -]*$`)

// isName reports whether text, which is not a target, can be a name.
func isName(text string) bool {
	_, err := netip.ParseAddr(text)
	return err != nil && aName.MatchString(text) && !filter.IsMessage(text) && !strings.EqualFold(text, "localhost")
}

// hasName reports whether name is the label of l, or the name of its service, project,
// repository, container or a process, in any case.
func hasName(l *monitor.Listener, name string) bool {
	names := []string{l.Label, l.Service, l.Project, l.Framework}
	if l.Container != nil {
		names = append(names, l.Container.Name)
	}
	if o, ok := l.Principal(); ok && o.Repository != "" {
		names = append(names, monitor.RepositoryName(o.Repository))
	}
	for _, o := range l.Owners {
		names = append(names, o.Name, o.Project)
	}
	return slices.ContainsFunc(names, func(n string) bool { return n != "" && strings.EqualFold(n, name) })
}

// checkTargets returns a UsageError if one of texts is neither a target nor a name.
func checkTargets(texts []string) error {
	for _, text := range texts {
		if _, err := parseTarget(text); err != nil && !isName(text) {
			return err
		}
	}
	return nil
}

// findTarget parses a target. If text is a name, it returns the port of the only listener
// with that name, or the port of a label if nothing has it. A name of several listeners is
// a UsageError that lists them.
func findTarget(ctx context.Context, text string, o Options) (target, error) {
	t, err := parseTarget(text)
	if err == nil || !isName(text) {
		return t, err
	}
	o.All, o.Verbose = true, false
	q, err := newSelectionQuery(selection{}, o)
	if err != nil {
		return target{}, err
	}
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return target{}, err
	}
	found := named(s.Listeners, text)
	switch len(found) {
	case 0:
		if port, ok := labelledPort(q.labels, text); ok {
			return target{explain.Target{Port: port}}, nil
		}
		return target{}, fmt.Errorf("nothing with the name %q listens", monitor.Clean(text, 60))
	case 1:
		return onlyTarget(found[0], s.Listeners)
	}
	return target{}, ambiguousName(text, found)
}

// ambiguousName returns the UsageError for a name of several listeners.
func ambiguousName(name string, found []*monitor.Listener) error {
	return UsageError{fmt.Sprintf("%q is ambiguous; name one of the ports: %s", monitor.Clean(name, 60), candidatesText(found))}
}

// named returns the listeners with a name. A label comes before all other names, because
// the user chose it.
func named(all []*monitor.Listener, name string) (found []*monitor.Listener) {
	for _, l := range all {
		if strings.EqualFold(l.Label, name) && l.Label != "" {
			found = append(found, l)
		}
	}
	if len(found) > 0 {
		return found
	}
	return slices.DeleteFunc(slices.Clone(all), func(l *monitor.Listener) bool { return !hasName(l, name) })
}

// labelledPort returns the port of the labels with a name, if there is exactly one.
func labelledPort(rules label.Rules, name string) (port uint16, ok bool) {
	for _, b := range rules.Labels {
		p, single := b.On.SingleTCP()
		if !single || !strings.EqualFold(b.Name, name) {
			continue
		}
		if ok && p != port {
			return 0, false
		}
		port, ok = p, true
	}
	return port, ok
}

// onlyTarget returns a target that selects l and no other listener. If another one has the
// same port, the target has an address.
func onlyTarget(l *monitor.Listener, all []*monitor.Listener) (target, error) {
	t := target{explain.Target{Port: l.Port}}
	var others []*monitor.Listener
	for _, k := range listenersAt(monitor.Snapshot{Listeners: all}, l.Port) {
		if k.ID != l.ID {
			others = append(others, k)
		}
	}
	if len(others) == 0 {
		return t, nil
	}
	for _, a := range l.Addresses {
		t.Address = a
		if t.matches(l) && !slices.ContainsFunc(others, t.matches) {
			return t, nil
		}
	}
	return target{}, UsageError{fmt.Sprintf("several servers listen on %d; name one by its address: %s", l.Port, candidatesText(append(others, l)))}
}

// maxCandidates limits how many listeners an error lists.
const maxCandidates = 12

// candidatesText lists listeners: "3000 (node, shop, branch main), 3001 (node, shop, branch login)".
func candidatesText(found []*monitor.Listener) string {
	found = slices.Clone(found)
	slices.SortFunc(found, func(a, b *monitor.Listener) int { return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.ID, b.ID)) })
	texts := make([]string, 0, maxCandidates+1)
	for i, l := range found {
		if i == maxCandidates {
			texts = append(texts, "and "+strconv.Itoa(len(found)-i)+" more")
			break
		}
		texts = append(texts, candidateText(l))
	}
	return strings.Join(texts, ", ")
}

func candidateText(l *monitor.Listener) string {
	process, _ := ownerText(l)
	branch, worktree := l.CheckoutTitle()
	facts := []string{process}
	for _, fact := range []struct{ before, text string }{{"", l.Label}, {"", l.Project}, {"branch ", branch}, {"worktree ", worktree}} {
		if text := monitor.Clean(fact.text, 40); text != "" && !slices.Contains(facts, text) {
			facts = append(facts, fact.before+text)
		}
	}
	if len(l.Addresses) > 0 {
		facts = append(facts, addressText(l))
	}
	return portText(l) + " (" + strings.Join(facts, ", ") + ")"
}
