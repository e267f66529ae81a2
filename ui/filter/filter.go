// Package filter parses the text that users type or paste into the filter fields of the Ports and
// History pages.
package filter

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/explain"
	"porthole/monitor/history"
)

// Filter selects rows by terms that must all match. A term matches a port or the beginning of one,
// exactly one port (":80"), the listeners that an address with a port leads to ("[::1]:80"), ranges and lists of ports, or a part of the process,
// user, project, service, label, address or command. A term after "by:" matches what started the
// process: a coding agent, IDE, terminal, login, shell, script, supervisor or unit. A term after "-" must not match. The zero value
// matches everything.
type Filter struct {
	words []term
	port  uint16 // the port if the filter is one complete port number, otherwise 0
	Above bool   // the filter is one number above the highest port
}

type term struct {
	text   string
	ports  monitor.Ports  // set for a range, a list or ":80"
	target explain.Target // the address that a listener on the port must accept; zero if any
	by     string         // what started the owner, folded; "" for any
	not    bool
}

// listed matches ports separated by commas that may be followed by spaces.
var listed = regexp.MustCompile(`(\d),\s*(\d|$)`)

// Parse parses typed or pasted text. Every text is a valid filter.
func Parse(text string) Filter {
	text = strings.TrimSpace(text)
	if t, ok := pastedTarget(text); ok {
		return newFilter(targetTerm(t))
	}
	text = strings.ToLower(text)
	text = strings.Trim(listed.ReplaceAllString(text, "$1,$2"), ",")
	var terms []term
	for _, w := range strings.Fields(text) {
		one := term{text: w}
		if rest, not := strings.CutPrefix(w, "-"); not && !strings.HasPrefix(rest, "-") { // --port is part of a command
			one = term{text: rest, not: true}
		}
		if t, ok := wordTarget(one.text); ok {
			target := targetTerm(t)
			target.not = one.not
			terms = append(terms, target)
			continue
		}
		if by, ok := strings.CutPrefix(one.text, "by:"); ok && by != "" {
			one.by = foldTitle(by)
			terms = append(terms, one)
			continue
		}
		if inner, bracketed := strings.CutPrefix(one.text, "["); bracketed { // [::1], the form in which an address precedes a port
			one.text = strings.TrimSuffix(inner, "]")
		}
		if port, exact := strings.CutPrefix(one.text, ":"); exact && !strings.ContainsRune(port, ':') {
			one.text = port
			one.ports, _ = monitor.ParsePorts(port) // if this is not a port, it is text
		}
		if one.text == "" {
			continue
		}
		if strings.ContainsAny(one.text, "-–,") {
			one.ports, _ = monitor.ParsePorts(one.text) // if this is not a range, it is text
		}
		terms = append(terms, one)
	}
	return newFilter(terms...)
}

// targetTerm returns the term for an address with a port.
func targetTerm(t explain.Target) term {
	return term{text: strconv.Itoa(int(t.Port)), ports: monitor.Ports{{First: t.Port, Last: t.Port}}, target: t}
}

func newFilter(terms ...term) Filter {
	f := Filter{words: terms}
	if len(f.words) == 1 && !f.words[0].not {
		p, err := strconv.ParseUint(f.words[0].text, 10, 16)
		if err == nil {
			f.port = uint16(p)
		}
		f.Above = errors.Is(err, strconv.ErrRange) && strings.Trim(f.words[0].text, "0123456789") == "" // ParseUint reports 70000abc as out of range too
	}
	return f
}

// Port returns the port if the filter asks for one port and nothing else; otherwise 0.
func (f Filter) Port() uint16 { return f.port }

// Target returns the address and port if the filter is one address with a port and nothing else.
func (f Filter) Target() explain.Target {
	if len(f.words) != 1 || f.words[0].not {
		return explain.Target{}
	}
	return f.words[0].target
}

// Query returns the filter as a query of the history: ports and ranges, and words, which may be
// numbers and addresses. The address of "[::1]:80" is left out.
func (f Filter) Query() history.Query {
	var q history.Query
	var words []string
	for _, w := range f.words {
		ports := w.ports
		if w.not && ports != nil {
			ports = complement(ports)
		}
		switch {
		case ports == nil && w.not:
			words = append(words, "-"+w.text)
		case ports == nil:
			words = append(words, w.text)
		case q.Ports == nil:
			q.Ports = ports
		default:
			q.Ports = intersect(q.Ports, ports)
		}
	}
	q.Text = strings.Join(words, " ")
	return q
}

// complement returns the ports that are not in ports. The result is never nil.
func complement(ports monitor.Ports) monitor.Ports {
	all := monitor.Ports{{First: 1, Last: 65535}}
	for _, p := range ports {
		rest := monitor.Ports{}
		if p.First > 1 {
			rest = append(rest, monitor.PortRange{First: 1, Last: p.First - 1})
		}
		if p.Last < 65535 {
			rest = append(rest, monitor.PortRange{First: p.Last + 1, Last: 65535})
		}
		all = intersect(all, rest)
	}
	return all
}

// intersect returns the ports that are in both a and b. The result is never nil.
func intersect(a, b monitor.Ports) monitor.Ports {
	both := monitor.Ports{}
	for _, x := range a {
		for _, y := range b {
			if first, last := max(x.First, y.First), min(x.Last, y.Last); first <= last {
				both = append(both, monitor.PortRange{First: first, Last: last})
			}
		}
	}
	return both
}

// Empty reports whether f matches everything.
func (f Filter) Empty() bool { return len(f.words) == 0 }

// Matches reports whether the filter matches l.
func (f Filter) Matches(l *monitor.Listener) bool { return f.Finds(NewSearchable(l)) }

// Searchable is the text of a listener that filters search. It is built once for each listener
// because a keystroke searches up to ten thousand of them.
type Searchable struct {
	listener *monitor.Listener
	port     uint16
	Begins   []string // matched by prefix: the port, then the addresses
	whole    []string // matched as a whole: PIDs, the protocol, and "localhost" if it leads here
	text     string   // matched anywhere: everything else in lower case, one part per line
}

// NewSearchable returns the text of l that filters search.
func NewSearchable(l *monitor.Listener) Searchable {
	f := Searchable{listener: l, port: l.Port, Begins: []string{strconv.Itoa(int(l.Port))}, whole: []string{string(l.Protocol)}}
	for _, a := range l.Addresses {
		f.Begins = append(f.Begins, a.String())
	}
	if (explain.Target{Localhost: true}).Reaches(l) {
		f.whole = append(f.whole, "localhost")
	}
	parts := []string{l.Unit, l.ContainerID, l.User, l.Project, l.Service, l.Framework, l.Label, l.Note}
	if l.Container != nil {
		parts = append(parts, l.Container.Name, l.Container.Image)
	}
	if l.Exposure == monitor.ExposurePublic {
		parts = append(parts, string(l.Exposure))
	}
	for _, t := range l.Tunnels {
		parts = append(parts, t.Through, t.URL, t.Host)
	}
	if l.Inferred != nil {
		parts = append(parts, l.Inferred.Name)
	}
	if repository, _ := l.ProjectGroup(); repository != "" {
		parts = append(parts, monitor.RepositoryName(repository))
	}
	for _, o := range l.Owners {
		f.whole = append(f.whole, strconv.Itoa(o.PID))
		parts = append(parts, o.Name, strings.Join(monitor.MaskCommand(o.Command), " "))
	}
	f.text = strings.ToLower(strings.Join(parts, "\n"))
	return f
}

// Finds reports whether f matches the listener that in was built from.
func (f Filter) Finds(in Searchable) bool {
	for _, w := range f.words {
		if w.finds(in) == w.not {
			return false
		}
	}
	return true
}

// foldTitle removes the case, spaces and dashes of a title, so that by:claude-code finds
// "Claude Code".
func foldTitle(title string) string {
	return strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(title))
}

// startedBy reports whether what started the owner of l matches the folded title.
func startedBy(l *monitor.Listener, folded string) bool {
	o, ok := l.Principal()
	if !ok {
		return false
	}
	why := ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{})
	titles := []string{why.StartedBy()}
	for _, p := range []*ancestry.Process{why.Script, why.Shell, why.Session, why.Agent, why.Manager} {
		if p != nil {
			titles = append(titles, p.Title)
		}
	}
	return slices.ContainsFunc(titles, func(title string) bool { return strings.Contains(foldTitle(title), folded) })
}

func (w term) finds(in Searchable) bool {
	if w.by != "" {
		return startedBy(in.listener, w.by)
	}
	if w.ports != nil {
		return w.ports.Contains(in.port) && w.target.Reaches(in.listener)
	}
	for _, text := range in.Begins {
		if strings.HasPrefix(text, w.text) {
			return true
		}
	}
	return slices.Contains(in.whole, w.text) || strings.Contains(in.text, w.text)
}
