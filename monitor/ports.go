package monitor

import (
	"slices"
	"strconv"
	"strings"
)

// PortRange is the range of ports from First to Last, inclusive.
type PortRange struct {
	First, Last uint16
}

// Ports is a set of ports: a sorted list of ranges.
type Ports []PortRange

// The errors of ParsePorts.
const (
	textPort  = "\"{{.Text}}\": a port is a number from 1 to 65535"
	textRange = "\"{{.Text}}\": a range goes from the lower port to the higher one"
)

// PortTexts returns the texts of the errors of ParsePorts, for translators.
func PortTexts() []string { return []string{textPort, textRange} }

// ParsePorts parses ports, ranges and lists of them: "62893", "3000-3999",
// "80, 443 8000-8999". An error is a SentenceError that names the invalid
// part.
func ParsePorts(texts ...string) (Ports, error) {
	var ports Ports
	for _, text := range texts {
		parts := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\t' })
		if len(parts) == 0 {
			return nil, SentenceError{NewSentence(textPort, "Text", Clean(text, 40))}
		}
		for _, part := range parts {
			r, err := parseRange(part)
			if err != nil {
				return nil, err
			}
			ports = append(ports, r)
		}
	}
	return ports.normalize(), nil
}

func parseRange(text string) (PortRange, error) {
	first, last, isRange := strings.Cut(strings.ReplaceAll(text, "–", "-"), "-")
	low, err := parsePort(first, text)
	if err != nil || !isRange {
		return PortRange{low, low}, err
	}
	high, err := parsePort(last, text)
	if err != nil {
		return PortRange{}, err
	}
	if high < low {
		return PortRange{}, SentenceError{NewSentence(textRange, "Text", Clean(text, 40))}
	}
	return PortRange{low, high}, nil
}

func parsePort(digits, whole string) (uint16, error) {
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || digits[0] == '+' {
		return 0, SentenceError{NewSentence(textPort, "Text", Clean(whole, 40))}
	}
	return uint16(n), nil
}

// normalize sorts the ranges and joins adjacent ones, so that equal sets are equal
// values.
func (p Ports) normalize() Ports {
	slices.SortFunc(p, func(a, b PortRange) int { return int(a.First) - int(b.First) })
	var out Ports
	for _, r := range p {
		if n := len(out); n > 0 && int(r.First) <= int(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Without returns the ports that are not in other.
func (p Ports) Without(other Ports) Ports {
	var out Ports
	for _, r := range p {
		first := int(r.First)
		for _, o := range other { // sorted
			if int(o.First) > first && o.First <= r.Last {
				out = append(out, PortRange{uint16(first), o.First - 1})
			}
			if o.First <= r.Last {
				first = max(first, int(o.Last)+1)
			}
		}
		if first <= int(r.Last) {
			out = append(out, PortRange{uint16(first), r.Last})
		}
	}
	return out
}

// Union returns the ports of all sets.
func Union(sets ...Ports) Ports { return slices.Concat(sets...).normalize() }

// Contains reports whether port is in the set.
func (p Ports) Contains(port uint16) bool {
	return slices.ContainsFunc(p, func(r PortRange) bool { return r.First <= port && port <= r.Last })
}

// Single returns the port of a set with exactly one port, and false for every other
// set.
func (p Ports) Single() (uint16, bool) {
	if len(p) == 1 && p[0].First == p[0].Last {
		return p[0].First, true
	}
	return 0, false
}

// String formats the set as ParsePorts accepts it.
func (p Ports) String() string {
	parts := make([]string, len(p))
	for i, r := range p {
		parts[i] = strconv.Itoa(int(r.First))
		if r.Last != r.First {
			parts[i] += "-" + strconv.Itoa(int(r.Last))
		}
	}
	return strings.Join(parts, ", ")
}
