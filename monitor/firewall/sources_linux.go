package firewall

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// flow is the set of senders whose packets are at one point of the rules. It contains
// every sender that may be there: one that depends on a condition that is not known is
// in several flows.
type flow struct {
	from   *netipx.IPSet // nil: none
	doubts []string      // the unknown conditions on the way
}

func (f flow) empty() bool { return f.from == nil }

// setOf returns the set that b builds; nil if it is empty.
func setOf(b *netipx.IPSetBuilder) *netipx.IPSet {
	s, err := b.IPSet()
	if err != nil || len(s.Ranges()) == 0 { // an error means that a range was not valid
		return nil
	}
	return s
}

// ofPrefix returns the set of the addresses in p.
func ofPrefix(p netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddPrefix(p)
	return setOf(&b)
}

// ofRange returns the set of the addresses from low to top.
func ofRange(low, top []byte) *netipx.IPSet {
	from, _ := netip.AddrFromSlice(low)
	to, _ := netip.AddrFromSlice(top)
	r := netipx.IPRangeFrom(from, to)
	if !r.IsValid() {
		return nil
	}
	var b netipx.IPSetBuilder
	b.AddRange(r)
	return setOf(&b)
}

func intersect(a, b *netipx.IPSet) *netipx.IPSet {
	if a == nil || b == nil {
		return nil
	}
	var s netipx.IPSetBuilder
	s.AddSet(a)
	s.Intersect(b)
	return setOf(&s)
}

func subtract(a, b *netipx.IPSet) *netipx.IPSet {
	if a == nil || b == nil {
		return a
	}
	var s netipx.IPSetBuilder
	s.AddSet(a)
	s.RemoveSet(b)
	return setOf(&s)
}

func union(a, b *netipx.IPSet) *netipx.IPSet {
	switch {
	case a == nil:
		return b
	case b == nil || a == b:
		return a
	}
	var s netipx.IPSetBuilder
	s.AddSet(a)
	s.AddSet(b)
	return setOf(&s)
}

// add returns the union of f and g.
func (f flow) add(g flow) flow {
	if g.empty() {
		return f
	}
	if f.empty() {
		return g
	}
	return flow{union(f.from, g.from), merge(f.doubts, g.doubts)}
}

// doubted returns f with one more unknown condition.
func (f flow) doubted(condition string) flow {
	return flow{f.from, merge(f.doubts, []string{condition})}
}

func merge(a, b []string) []string {
	out := a
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(slices.Clip(out), s)
		}
	}
	return out
}
