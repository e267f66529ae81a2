// Package filter reads what is typed or pasted into the filter fields of the pages Ports and History.
package filter

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/words"
)

// Filter chooses rows by words that must all match: a port or the beginning of
// one, ":80" or "localhost:80" for exactly that, ranges and lists, or a part of the process, user,
// project, service, address or command. A word after "-" must not match. Its zero value matches everything.
type Filter struct {
	words []term
	port  uint16 // where the filter is one whole port
	Above bool   // it is one number that no port has
}

type term struct {
	text  string
	ports monitor.Ports // where the word is a range, or ":80"
	not   bool
}

// listed is ports with commas between them, and spaces after those.
var listed = regexp.MustCompile(`(\d),\s*(\d|$)`)

// Parse reads what was typed or pasted. Every text is a filter.
func Parse(text string) Filter {
	text = strings.ToLower(strings.TrimSpace(text))
	if port := portInText(text); port != "" {
		text = ":" + port
	}
	text = strings.Trim(listed.ReplaceAllString(text, "$1,$2"), ",")
	var f Filter
	for _, w := range strings.Fields(text) {
		one := term{text: w}
		if rest, not := strings.CutPrefix(w, "-"); not && !strings.HasPrefix(rest, "-") { // --port is a word of a command
			one = term{text: rest, not: true}
		}
		if port := portOfAddress(one.text); port != "" {
			one.text = ":" + port
		}
		if inner, bracketed := strings.CutPrefix(one.text, "["); bracketed { // as addresses stand before a port
			one.text = strings.TrimSuffix(inner, "]")
		}
		if port, exact := strings.CutPrefix(one.text, ":"); exact && !strings.ContainsRune(port, ':') {
			one.text = port
			one.ports, _ = monitor.ParsePorts(port) // what is no port is text
		}
		if one.text == "" {
			continue
		}
		if strings.ContainsAny(one.text, "-–,") {
			one.ports, _ = monitor.ParsePorts(one.text) // what is no range is text
		}
		f.words = append(f.words, one)
	}
	if len(f.words) == 1 && !f.words[0].not {
		p, err := strconv.ParseUint(f.words[0].text, 10, 16)
		if err == nil {
			f.port = uint16(p)
		}
		f.Above = errors.Is(err, strconv.ErrRange) && strings.Trim(f.words[0].text, "0123456789") == "" // 70000abc is out of range, too
	}
	return f
}

// Port returns the port that the filter asks for and nothing else; 0 where it
// asks for something else.
func (f Filter) Port() uint16 { return f.port }

// Query asks for the same of the past: ports and ranges, and words, which may be
// numbers and addresses.
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

// complement returns the ports that are not in ports; never nil.
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

// intersect returns the ports of a that b has too; never nil.
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

// Matches reports whether l is to be shown.
func (f Filter) Matches(l *monitor.Listener) bool { return f.Finds(NewSearchable(l)) }

// Searchable is what the words of a filter look at, made once for a listener: a
// keystroke asks ten thousand of them.
type Searchable struct {
	port   uint16
	Begins []string // the port and the addresses, whose beginning matches
	whole  []string // PIDs, the protocol, "localhost" where that leads here
	text   string   // the rest in lower case, each part in a line of its own
}

// NewSearchable returns what filters search of l.
func NewSearchable(l *monitor.Listener) Searchable {
	f := Searchable{port: l.Port, Begins: []string{strconv.Itoa(int(l.Port))}, whole: []string{string(l.Protocol)}}
	for _, a := range l.Addresses {
		f.Begins = append(f.Begins, a.String())
	}
	if v4, v6 := words.LoopbackFamilies(l); v4 || v6 {
		f.whole = append(f.whole, "localhost")
	}
	parts := []string{l.Unit, l.ContainerID, l.User, l.Project, l.Service}
	if l.Container != nil {
		parts = append(parts, l.Container.Name, l.Container.Image)
	}
	if l.Inferred != nil {
		parts = append(parts, l.Inferred.Name)
	}
	for _, o := range l.Owners {
		f.whole = append(f.whole, strconv.Itoa(o.PID))
		parts = append(parts, o.Name, strings.Join(monitor.MaskCommand(o.Command), " "))
	}
	f.text = strings.ToLower(strings.Join(parts, "\n"))
	return f
}

// Finds reports whether f lets through what in is of.
func (f Filter) Finds(in Searchable) bool {
	for _, w := range f.words {
		if w.finds(in) == w.not {
			return false
		}
	}
	return true
}

func (w term) finds(in Searchable) bool {
	if w.ports != nil {
		return w.ports.Contains(in.port)
	}
	for _, text := range in.Begins {
		if strings.HasPrefix(text, w.text) {
			return true
		}
	}
	return slices.Contains(in.whole, w.text) || strings.Contains(in.text, w.text)
}
