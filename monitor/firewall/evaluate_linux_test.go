package firewall

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// Rules that this machine's kernel or nft may not be able to make.
func TestEvaluateUnusualRules(t *testing.T) {
	port := rule{load{to: 0, size: 2, field: fieldTransportHeader, offset: 2}, compare{0, unix.NFT_CMP_EQ, []byte{0, 22}}}
	port = slices.Clip(port)
	accept, drop := verdict{kind: verdictAccept}, verdict{kind: verdictDrop}
	for _, c := range []struct {
		name  string
		rules []rule
		want  string
	}{
		{"an expression without a name", []rule{append(decodeRule(tableKey{}, expressions(t, "", nil)), accept)}, "a rule depends on “”"},
		{"a new expression", []rule{append(decodeRule(tableKey{}, expressions(t, "{{future}}", nil)), accept)}, "a rule depends on “future”"},
		{"a set that is gone", []rule{{port[0], search{set: setKey{name: "s"}, from: 0}, accept}}, "a rule depends on “s”"},
		{"a chain that is gone", []rule{{verdict{verdictJump, "web"}}}, "a rule depends on “web”"},
		{"a register that does not exist", []rule{{load{to: 900, size: 2}, compare{900, unix.NFT_CMP_EQ, []byte{0, 22}}, accept}}, "a rule depends on other fields of the packet"},
		{"a queue", []rule{{verdict{kind: verdictQueue}}}, "a rule depends on a program that inspects packets"},
		{"an address mask with holes", []rule{{load{to: 0, size: 4, field: fieldNetworkHeader, offset: 12}, bitwise{0, 0, 4, []byte{255, 0, 0, 255}, make([]byte, 4)}, compare{0, unix.NFT_CMP_EQ, []byte{10, 0, 0, 1}}, accept}}, "a rule depends on some bits of the sender's address"},
		{"an unknown condition before the same verdict", []rule{{depends{"x"}, drop}, {drop}}, "blocked"},
		{"an unknown condition before no verdict", []rule{{depends{"x"}}, append(port, accept)}, "allowed"},
		{"an unknown condition after the verdict", []rule{append(port, accept), {depends{"x"}, drop}}, "allowed"},
		{"a known mismatch beside an unknown condition", []rule{{load{to: 0, size: 2, field: fieldTransportHeader, offset: 2}, compare{0, unix.NFT_CMP_EQ, []byte{0, 23}}, depends{"x"}, accept}}, "blocked"},
	} {
		table := tableKey{unix.NFPROTO_INET, "t"}
		base := &chain{key: chainKey{table, "in"}, hook: input, drop: true, rules: c.rules}
		r := &ruleset{chains: map[chainKey]*chain{base.key: base}, sets: map[setKey]*set{}}
		got := r.answer(exposed(monitor.TCP, 22), twoNetworks())
		text := string(got.State)
		if got.State == monitor.FirewallUnknown {
			text = got.Why.String()
		}
		if text != c.want {
			t.Errorf("%s: got %q, want %q", c.name, text, c.want)
		}
	}
}

// Rules without end are given up.
func TestEvaluateTooManyRules(t *testing.T) {
	table := tableKey{unix.NFPROTO_INET, "t"}
	r := &ruleset{chains: map[chainKey]*chain{}}
	add := func(name string, h hook, rules ...rule) {
		r.chains[chainKey{table, name}] = &chain{key: chainKey{table, name}, hook: h, rules: rules}
	}
	twice := func(to string) []rule {
		return []rule{{verdict{verdictJump, to}}, {verdict{verdictJump, to}}}
	}
	names := "abcdefghijklmnopqrstuvwxyz"
	for i := range len(names) - 1 {
		h := noHook
		if i == 0 {
			h = input
		}
		add(names[i:i+1], h, twice(names[i+1:i+2])...)
	}
	add("z", noHook)
	if got := r.answer(exposed(monitor.TCP, 22), twoNetworks()); got.Why.Text != monitor.FirewallTooLarge {
		t.Errorf("got %+v, want too large", got)
	}
	add("a", input, rule{verdict{verdictJump, "a"}}) // the kernel refuses such a loop
	if got := r.answer(exposed(monitor.TCP, 22), twoNetworks()); got.State != monitor.FirewallUnknown {
		t.Errorf("a loop: got %+v, want unknown", got)
	}
}

// Listeners on one address, one interface, or one family.
func TestConnections(t *testing.T) {
	m := twoNetworks()
	m.networks = append(m.networks, network{name: "eth0", index: 2, address: netip.MustParseAddr("fe80::1")})
	for _, c := range []struct {
		address, device string
		v6only          bool
		want            int
	}{
		{"0.0.0.0", "", false, 2}, {"::", "", false, 3}, {"::", "", true, 1}, {"192.168.1.5", "", false, 1}, {"::ffff:192.168.1.5", "", false, 1},
		{"fe80::1%eth0", "", false, 1}, {"0.0.0.0", "wg0", false, 1}, {"127.0.0.1", "", false, 0}, {"0.0.0.0", "lo", false, 0}, {"192.168.1.9", "", false, 2},
	} {
		l := exposed(monitor.TCP, 22)
		l.Sockets[0].Address, l.Sockets[0].Device, l.Sockets[0].V6Only = netip.MustParseAddr(c.address), c.device, c.v6only
		if got := m.connections(l); len(got) != c.want {
			t.Errorf("%+v: got %d ways, want %d", c, len(got), c.want)
		}
	}
}

// expressions returns the attributes of a rule with one expression.
func expressions(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	one, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.NFTA_EXPR_NAME, Data: []byte(name + "\x00")}, {Type: unix.NFTA_EXPR_DATA, Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.NFTA_LIST_ELEM, Data: one}})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// FuzzRules decodes arbitrary bytes as the expressions of a rule and evaluates them.
func FuzzRules(f *testing.F) {
	for _, name := range []string{"payload", "meta", "ct", "fib", "immediate", "bitwise", "cmp", "range", "lookup", "nat", "dynset", "match", "target"} {
		f.Add(name, []byte{8, 0, 1, 0, 0, 0, 0, 1, 8, 0, 2, 0, 0, 0, 0, 2})
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		evaluate(decodeRule(tableKey{family: unix.NFPROTO_IPV4}, expressions(t, name, data[:min(len(data), 1000)])))
		_, s := decodeSet(data)
		s.elements = pairElements(s, decodeElements(data))
		decodeChain(unix.NFPROTO_INET, data)
	})
}

// FuzzIptables decodes arbitrary bytes as the matches and targets of iptables and
// evaluates them.
func FuzzIptables(f *testing.F) {
	multiport := make([]byte, 48)
	multiport[0], multiport[1] = 1, 2
	binary.NativeEndian.PutUint16(multiport[2:], 80)
	f.Add("multiport", uint32(1), multiport)
	for _, name := range []string{"tcp", "udp", "conntrack", "state", "addrtype", "iprange", "mark", "pkttype", "recent", "rpfilter", "connlimit", "DNAT", "REDIRECT"} {
		for revision := range uint32(4) {
			f.Add(name, revision, make([]byte, 160))
		}
	}
	f.Fuzz(func(t *testing.T, name string, revision uint32, info []byte) {
		for _, family := range []uint8{unix.NFPROTO_IPV4, unix.NFPROTO_IPV6} {
			evaluate(decodeMatch(name, revision, info, family))
		}
		evaluate(decodeTarget(name, revision, info))
	})
}

// evaluate passes a connection through a rule, followed by accept.
func evaluate(r rule) {
	table := tableKey{unix.NFPROTO_INET, "t"}
	base := &chain{key: chainKey{table, "in"}, hook: input, drop: true, rules: []rule{append(r, verdict{kind: verdictAccept})}}
	rules := &ruleset{chains: map[chainKey]*chain{base.key: base}, sets: map[setKey]*set{}}
	rules.answer(exposed(monitor.TCP, 22), twoNetworks())
}
