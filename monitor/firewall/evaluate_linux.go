package firewall

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"go4.org/netipx"
	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// outcome is what happens to the packets of senders.
type outcome struct {
	accepted, dropped flow
	forwarded         flow // accepted on the way to another machine or a container
	elsewhere         flow // diverted to another port of this machine
}

// maxSteps limits the work for one answer.
const maxSteps = 3_000_000

// maxDepth is more than the number of jumps that the kernel allows (NFT_JUMP_STACK_SIZE).
const maxDepth = 32

// walk follows the first packet of a connection through the rules.
type walk struct {
	rules      *ruleset
	connection connection
	tracked    bool // connection tracking has seen the packet
	family     uint8
	steps      *int // how many are left
	machine    machine

	out outcome
}

// pass returns what happens to the first packets of c from all senders.
func (r *ruleset) pass(c connection, m machine, steps *int) outcome {
	w := &walk{rules: r, connection: c, family: unix.NFPROTO_IPV4, steps: steps, machine: m}
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if c.to.Addr().Is6() {
		everywhere, w.family = netip.PrefixFrom(netip.IPv6Unspecified(), 0), unix.NFPROTO_IPV6
	}
	w.travel(flow{from: ofPrefix(everywhere)}, ingress, 0)
	return w.out
}

// travel passes f through the base chains of a hook from a position on, and those of the
// hooks that follow.
func (w *walk) travel(f flow, at hook, from int) {
	chains := w.rules.base(at, w.family, w.connection.in.name)
	for i := from; i < len(chains) && !f.empty(); i++ {
		const afterTracking = -200 // NF_IP_PRI_CONNTRACK
		w.tracked = !w.rules.untracks && (at > prerouting || at == prerouting && chains[i].priority > afterTracking)
		b := &branch{walk: w}
		rest := b.chain(chains[i], f, 0)
		if chains[i].drop {
			b.dropped = b.dropped.add(rest)
		} else {
			b.accepted = b.accepted.add(rest)
		}
		w.out.dropped = w.out.dropped.add(b.dropped)
		for _, d := range b.diverted {
			w.divert(d, at, i+1)
		}
		f = b.accepted
	}
	switch {
	case f.empty():
	case at == ingress:
		w.travel(f, prerouting, 0)
	case at == prerouting && w.connection.out != nil:
		w.travel(f, forward, 0)
	case at == prerouting:
		w.travel(f, input, 0)
	case at == forward:
		w.out.forwarded = w.out.forwarded.add(f)
	default:
		w.out.accepted = w.out.accepted.add(f)
	}
}

// divert follows packets whose destination was changed.
func (w *walk) divert(d diversion, at hook, from int) {
	before := w.connection
	defer func() { w.connection = before }()
	w.connection.diverted = true
	if d.to == before.to || w.machine.isLocal(d.to.Addr()) && d.to.Port() == before.to.Port() {
		w.connection.to = d.to
		w.travel(d.flow, at, from)
		return
	}
	if w.machine.isLocal(d.to.Addr()) {
		w.out.elsewhere = w.out.elsewhere.add(d.flow)
		return
	}
	w.connection.to, w.connection.out = d.to, w.machine.route(d.to.Addr())
	w.travel(d.flow, at, from)
}

// base returns the base chains of a hook that see packets of a family, in the order of
// their priorities.
func (r *ruleset) base(at hook, family uint8, device string) (out []*chain) {
	for _, c := range r.chains {
		if c.hook != at {
			continue
		}
		switch f := c.key.table.family; {
		case f == family, f == unix.NFPROTO_INET && at != ingress:
			out = append(out, c)
		case at == ingress && slices.Contains(c.devices, device):
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *chain) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.key.table.family, b.key.table.family), cmp.Compare(a.key.table.name, b.key.table.name), cmp.Compare(a.key.name, b.key.name))
	})
	return out
}

// diversion is a flow to another destination.
type diversion struct {
	flow
	to netip.AddrPort
}

// branch collects the verdicts of one base chain.
type branch struct {
	*walk
	accepted, dropped flow
	diverted          []diversion
	decided           int // grows with each of them
}

func (b *branch) accept(f flow) {
	b.accepted = b.accepted.add(f)
	b.decided++
}

func (b *branch) drop(f flow) {
	b.dropped = b.dropped.add(f)
	b.decided++
}

// chain passes f through a chain and returns what reaches its end.
func (b *branch) chain(c *chain, f flow, depth int) (end flow) {
	if depth > maxDepth {
		b.undecided(f, monitor.ConditionProgram)
		return flow{}
	}
	for _, r := range c.rules {
		if f.empty() {
			break
		}
		next, returned := b.rule(c, r, f, depth)
		f, end = next, end.add(returned)
	}
	return end.add(f)
}

// undecided makes the verdict for f unknown.
func (b *branch) undecided(f flow, why string) {
	b.accept(f.doubted(why))
	b.drop(f.doubted(why))
}

// rule passes f through a rule. It returns what goes on to the next one, and what leaves
// the chain.
func (b *branch) rule(c *chain, r rule, f flow, depth int) (next, returned flow) {
	var regs registers
	before, here := b.decided, f
	finish := func() (flow, flow) {
		if b.decided == before && returned.empty() {
			return f, flow{} // the rule decided nothing, whatever its conditions are
		}
		return next.add(here), returned
	}
	for _, s := range r {
		if *b.steps--; *b.steps < 0 || here.empty() {
			return finish()
		}
		var fails flow
		switch s := s.(type) {
		case load:
			b.load(&regs, s)
		case immediate:
			regs.put(s.to, s.data)
		case bitwise:
			regs.bitwise(s)
		case compare:
			t, invert := s.holds(regs.span(s.from, len(s.data)))
			here, fails = t.split(here, invert)
		case between:
			here, fails = inRange(regs.span(s.from, len(s.low)), s.low, s.top).split(here, s.outside)
		case search:
			here, fails = b.lookup(c, &regs, s, here, depth, &next, &returned)
		case depends:
			here, fails = truth{why: s.condition}.split(here, false)
		case never:
			here, fails = flow{}, here
		case divert:
			b.redirect(&regs, s, here)
			here = flow{}
		case verdict:
			b.verdict(c, s, here, depth, &next, &returned)
			here = flow{}
		}
		next = next.add(fails)
	}
	return finish()
}

// bitwise computes a bitwise operation.
func (r *registers) bitwise(s bitwise) {
	from := r.span(s.from, s.size)
	if from == nil || r.span(s.to, s.size) == nil {
		return
	}
	for i, c := range slices.Clone(from) {
		if s.mask == nil {
			r[s.to+i] = content{kind: isUnknown, why: cmp.Or(c.why, monitor.ConditionHeader)}
			continue
		}
		r[s.to+i] = c.apply(s.mask[i], s.xor[i])
	}
}

// verdict applies a verdict to f.
func (b *branch) verdict(c *chain, v verdict, f flow, depth int, next, returned *flow) {
	if f.empty() {
		return
	}
	switch v.kind {
	case verdictAccept:
		b.accept(f)
	case verdictDrop:
		b.drop(f)
	case verdictContinue, verdictBreak:
		*next = next.add(f)
	case verdictReturn:
		*returned = returned.add(f)
	case verdictJump, verdictGoto:
		target := b.rules.chains[chainKey{c.key.table, v.chain}]
		if target == nil { // it was removed meanwhile
			b.undecided(f, quoted(v.chain))
			return
		}
		end := b.chain(target, f, depth+1)
		if v.kind == verdictGoto {
			*returned = returned.add(end)
		} else {
			*next = next.add(end)
		}
	default: // a program gets the packet, or steals it
		b.undecided(f, monitor.ConditionProgram)
	}
}

// lookup passes f through a look-up in a set. It returns the senders for which the rule
// goes on and those for which it ends.
func (b *branch) lookup(c *chain, regs *registers, l search, f flow, depth int, next, returned *flow) (holds, fails flow) {
	s := l.inline
	if s == nil {
		s = b.rules.sets[l.set]
	}
	if s == nil {
		return truth{why: quoted(l.set.name)}.split(f, false)
	}
	*b.steps -= len(s.elements)
	if !l.hasTo {
		return b.member(regs, l, s).split(f, l.invert)
	}
	rest := f
	var other *element
	for i, e := range s.elements {
		if rest.empty() || *b.steps < 0 {
			break
		}
		if e.all {
			other = &s.elements[i]
			continue
		}
		var hit flow
		t := e.matches(regs.span(l.from, max(len(e.key), 1)), s.lengths)
		if hit, rest = t.split(rest, false); !hit.empty() {
			b.take(c, regs, l, e, hit, t.all, depth, next, returned)
			holds = holds.add(hit)
		}
	}
	if other != nil {
		b.take(c, regs, l, *other, rest, holds.empty(), depth, next, returned)
		holds, rest = holds.add(rest), flow{}
	}
	if l.verdict { // the verdicts have been applied
		return flow{}, rest
	}
	return holds, rest
}

// take uses the value that a map has for f: a verdict, or bytes for a register, if all
// senders have the same.
func (b *branch) take(c *chain, regs *registers, l search, e element, f flow, all bool, depth int, next, returned *flow) {
	switch {
	case l.verdict && e.verdict != nil:
		b.verdict(c, *e.verdict, f, depth, next, returned)
	case l.verdict:
		b.undecided(f, quoted(l.set.name))
	case !all:
		regs.forget(l.to, max(len(e.value), 4), quoted(l.set.name))
	default:
		regs.put(l.to, e.value)
	}
}

// member reports for which senders the key in the registers is in a set.
func (b *branch) member(regs *registers, l search, s *set) truth {
	var senders netipx.IPSetBuilder
	why, some := "", false
	for _, e := range s.elements {
		if e.all {
			return always
		}
		t := e.matches(regs.span(l.from, max(len(e.key), 1)), s.lengths)
		switch {
		case t.why != "":
			why = t.why
		case t.all:
			return always
		case t.senders != nil:
			some = true
			senders.AddSet(t.senders)
		}
	}
	if why != "" {
		return truth{why: why}
	}
	if !some {
		return truth{}
	}
	return truth{senders: setOf(&senders)}
}

// redirect records that s sends f elsewhere.
func (b *branch) redirect(regs *registers, s divert, f flow) {
	if f.empty() {
		return
	}
	address, port := b.connection.to.Addr(), b.connection.to.Port()
	if s.fixedAddress.IsValid() {
		address = s.fixedAddress
	} else if s.address >= 0 {
		data, ok := known(regs.span(s.address, address.BitLen()/8))
		if !ok {
			b.undecided(f, quoted("dnat"))
			return
		}
		address, _ = netip.AddrFromSlice(data)
	}
	if s.fixedPort != 0 {
		port = s.fixedPort
	} else if s.port >= 0 {
		data, ok := known(regs.span(s.port, 2))
		if !ok {
			b.undecided(f, quoted("dnat"))
			return
		}
		port = binary.BigEndian.Uint16(data)
	}
	b.diverted = append(b.diverted, diversion{f, netip.AddrPortFrom(address, port)})
	b.decided++
}
