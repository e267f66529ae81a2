package firewall

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"

	"go4.org/netipx"
	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// registerBytes is the size of all registers of a rule together.
const registerBytes = 64

// registers are the registers of a rule.
type registers [registerBytes]content

// content is what is known about one byte of a register: its value, which byte of the
// sender's address it comes from, or why it is unknown.
type content struct {
	kind  contentKind
	value byte // with fromSource, what the byte was combined with by exclusive or
	index int  // of the byte of the sender's address
	mask  byte // the bits of that byte
	size  int  // bytes of that address
	why   string
}

type contentKind uint8

const (
	isKnown contentKind = iota
	fromSource
	isUnknown
)

// span returns size bytes from a register on; nil if they are not all there.
func (r *registers) span(from, size int) []content {
	if from < 0 || size <= 0 || from+size > registerBytes {
		return nil
	}
	return r[from : from+size]
}

// put copies bytes to a register, which it fills with zeros up to a multiple of 4.
func (r *registers) put(to int, data []byte) {
	for i := range (len(data) + 3) / 4 * 4 {
		if at := to + i; to >= 0 && at < registerBytes {
			r[at] = content{}
			if i < len(data) {
				r[at].value = data[i]
			}
		}
	}
}

// forget makes size bytes of a register unknown.
func (r *registers) forget(to, size int, why string) {
	for i := range size {
		if at := to + i; to >= 0 && at < registerBytes {
			r[at] = content{kind: isUnknown, why: why}
		}
	}
}

// known returns the bytes of a span; false if they are not all known.
func known(s []content) ([]byte, bool) {
	out := make([]byte, len(s))
	for i, c := range s {
		if c.kind != isKnown {
			return nil, false
		}
		out[i] = c.value
	}
	return out, s != nil
}

// isSource reports whether a span is the whole address of the sender.
func isSource(s []content) bool {
	for i, c := range s {
		if c.kind != fromSource || c.index != i || c.mask != 0xff || c.value != 0 {
			return false
		}
	}
	return len(s) > 0 && len(s) == s[0].size
}

// apply computes one byte of a bitwise operation.
func (c content) apply(mask, xor byte) content {
	switch c.kind {
	case isKnown:
		c.value = c.value&mask ^ xor
	case fromSource:
		c.mask, c.value = c.mask&mask, c.value&mask^xor
		if c.mask == 0 {
			return content{value: c.value}
		}
	case isUnknown:
		if mask == 0 {
			return content{value: xor}
		}
	}
	return c
}

// truth says for which senders a condition holds: for all, for none, for those in a set,
// or it is unknown.
type truth struct {
	senders *netipx.IPSet // nil for none
	all     bool
	why     string // "" if it is known
}

var always = truth{all: true}

func of(b bool) truth { return truth{all: b} }

// split divides a flow into the senders for which the condition holds and the others.
func (t truth) split(f flow, invert bool) (holds, fails flow) {
	switch {
	case t.why != "":
		return f.doubted(t.why), f.doubted(t.why)
	case t.all:
		holds = f
	case t.senders == nil:
		fails = f
	default:
		holds, fails = flow{intersect(f.from, t.senders), f.doubts}, flow{subtract(f.from, t.senders), f.doubts}
	}
	if invert {
		return fails, holds
	}
	return holds, fails
}

// equal compares a span with data.
func equal(s []content, data []byte) truth {
	if len(s) != len(data) || len(s) == 0 {
		return truth{why: monitor.ConditionHeader}
	}
	why := ""
	var source []content
	var want []byte
	for i, c := range s {
		switch {
		case c.kind == isUnknown:
			why = c.why
		case c.kind == fromSource:
			source, want = append(source, c), append(want, data[i])
		case c.value != data[i]:
			return truth{} // whatever the rest is
		}
	}
	if len(source) == 0 || why != "" {
		return truth{all: why == "", why: why}
	}
	return equalSource(source, want)
}

// equalSource compares the first bytes of the sender's address with data.
func equalSource(s []content, data []byte) truth {
	address, bits, ended := make([]byte, s[0].size), 0, false
	for i, c := range s {
		ones := bits8(c.mask)
		if c.index != i || ones < 0 || ended || i >= len(address) {
			return truth{why: monitor.ConditionMask}
		}
		if address[i] = data[i] ^ c.value; address[i]&^c.mask != 0 {
			return truth{}
		}
		bits, ended = bits+ones, ones < 8
	}
	a, _ := netip.AddrFromSlice(address)
	return truth{senders: ofPrefix(netip.PrefixFrom(a, bits))}
}

// bits8 returns the number of leading ones of a mask; -1 if others follow a zero.
func bits8(mask byte) int {
	for n := range 9 {
		if mask == byte(0xff<<(8-n)) {
			return n
		}
	}
	return -1
}

// inRange reports whether a span is between two values, both included.
func inRange(s []content, low, top []byte) truth {
	if len(s) != len(low) || len(low) != len(top) || len(s) == 0 {
		return truth{why: monitor.ConditionHeader}
	}
	if b, ok := known(s); ok {
		return of(bytes.Compare(b, low) >= 0 && bytes.Compare(b, top) <= 0)
	}
	if isSource(s) {
		return truth{senders: ofRange(low, top)}
	}
	if bytes.Equal(low, top) {
		return equal(s, low)
	}
	return truth{why: whyOf(s)}
}

// whyOf returns why a span is unknown.
func whyOf(s []content) string {
	for _, c := range s {
		if c.kind == isUnknown {
			return c.why
		}
	}
	return monitor.ConditionMask
}

// holds evaluates a comparison.
func (c compare) holds(s []content) (t truth, invert bool) {
	lowest, highest := bytes.Repeat([]byte{0}, len(c.data)), bytes.Repeat([]byte{0xff}, len(c.data))
	switch c.op {
	case unix.NFT_CMP_EQ:
		return equal(s, c.data), false
	case unix.NFT_CMP_NEQ:
		return equal(s, c.data), true
	case unix.NFT_CMP_LTE:
		return inRange(s, lowest, c.data), false
	case unix.NFT_CMP_GT:
		return inRange(s, lowest, c.data), true
	case unix.NFT_CMP_GTE:
		return inRange(s, c.data, highest), false
	case unix.NFT_CMP_LT:
		return inRange(s, c.data, highest), true
	}
	return truth{why: monitor.ConditionHeader}, false
}

// matches reports for which senders a key of a set is an element.
func (e element) matches(s []content, lengths []int) truth {
	switch {
	case e.end == nil:
		return e.limit(equal(s, e.key))
	case lengths == nil:
		return e.limit(inRange(s, e.key, e.end))
	}
	at, result := 0, always
	for _, n := range lengths {
		padded := (n + 3) / 4 * 4
		if n <= 0 || at+n > len(s) || at+n > len(e.key) || at+n > len(e.end) {
			return truth{why: monitor.ConditionHeader}
		}
		switch t := inRange(s[at:at+n], e.key[at:at+n], e.end[at:at+n]); {
		case t.why == "" && !t.all && t.senders == nil:
			return truth{}
		case t.why != "":
			result = t
		case !t.all && result.why == "":
			result = t // only one field is the sender's address
		}
		at += padded
	}
	return e.limit(result)
}

// limit adds the element's own condition to t.
func (e element) limit(t truth) truth {
	if e.depends != "" && (t.all || t.senders != nil) {
		return truth{why: e.depends}
	}
	return t
}

// rawElement is an element as the kernel returns it: an interval is two elements, of
// which the second one is the first key after it.
type rawElement struct {
	element
	intervalEnd bool
}

// pairElements returns the elements of a set. size is the length of its keys.
func pairElements(s *set, raw []rawElement) (out []element) {
	if !s.interval || s.concat {
		for _, e := range raw {
			out = append(out, e.element)
		}
		return out
	}
	slices.SortStableFunc(raw, func(a, b rawElement) int {
		if c := bytes.Compare(a.key, b.key); c != 0 {
			return c
		}
		return rank(b) - rank(a)
	})
	for i, e := range raw {
		switch {
		case e.all:
			out = append(out, e.element)
		case e.intervalEnd:
		case e.end != nil:
			out = append(out, e.element)
		case i+1 < len(raw):
			e.end = before(raw[i+1].key)
			out = append(out, e.element)
		default:
			e.end = bytes.Repeat([]byte{0xff}, len(e.key))
			out = append(out, e.element)
		}
	}
	return out
}

// rank orders the end of an interval before the beginning of the next.
func rank(e rawElement) int {
	if e.intervalEnd {
		return 1
	}
	return 0
}

// before returns the key before key.
func before(key []byte) []byte {
	out := slices.Clone(key)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]--; out[i] != 0xff {
			break
		}
	}
	return out
}

func host32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
