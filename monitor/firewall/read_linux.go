package firewall

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// errDenied means that only root can read the rules.
var errDenied = errors.New("only root can read the rules")

// errChanging means that the rules changed whenever they were read.
var errChanging = errors.New("the rules keep changing")

// readDeadline limits the time of reading the rules.
const readDeadline = 2 * time.Second

// attempts is how often rules that change meanwhile are read again.
const attempts = 3

// isLoaded reports whether the kernel may have rules of nftables. Where it is a module
// that is not loaded, asking would load it.
func isLoaded() bool {
	if _, err := os.Stat("/sys/module/nf_tables"); err == nil {
		return true
	}
	modules, err := os.ReadFile("/proc/modules")
	if err != nil {
		return true // no modules: it is a part of the kernel, or not there
	}
	if strings.Contains("\n"+string(modules), "\nnf_tables ") {
		return true
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return true
	}
	builtin, err := os.ReadFile("/lib/modules/" + unix.ByteSliceToString(name.Release[:]) + "/modules.builtin")
	return err == nil && strings.Contains(string(builtin), "/nf_tables.ko")
}

// legacyTables reports whether the kernel has tables of iptables-legacy, which nftables
// does not show. Only root can read the files.
func legacyTables() bool {
	for _, file := range []string{"/proc/thread-self/net/ip_tables_names", "/proc/thread-self/net/ip6_tables_names"} {
		if names, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(names)) != "" {
			return true
		}
	}
	return false
}

// reader reads from one netlink socket.
type reader struct {
	ctx  context.Context
	conn *netlink.Conn
}

// readRules reads the rules of this network namespace that a packet from another machine
// may pass. It returns errDenied without CAP_NET_ADMIN.
func readRules(ctx context.Context) (*ruleset, error) {
	if !isLoaded() {
		return &ruleset{}, nil
	}
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	defer func() { _ = conn.Close() }() // read only
	deadline := time.Now().Add(readDeadline)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("limit the time of a netlink socket: %w", err)
	}
	r := reader{ctx, conn}
	for range attempts {
		before, err := r.generation()
		if err != nil {
			return nil, err
		}
		rules, err := r.rules()
		if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOENT) {
			return nil, err
		}
		if after, failed := r.generation(); err == nil && failed == nil && after == before {
			return rules, nil
		}
	}
	return nil, errChanging
}

// request sends one request and calls do for each message of the answer.
func (r reader) request(kind uint16, family uint8, flags netlink.HeaderFlags, body []netlink.Attribute, do func(family uint8, b []byte)) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	data, err := netlink.MarshalAttributes(body)
	if err != nil {
		return err
	}
	answers, err := r.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | kind), Flags: netlink.Request | flags},
		Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, data...), // struct nfgenmsg
	})
	switch {
	case errors.Is(err, unix.EPERM):
		return errDenied
	case err != nil:
		return fmt.Errorf("read the rules of nftables: %w", err)
	}
	for _, m := range answers {
		if len(m.Data) >= 4 {
			do(m.Data[0], m.Data[4:])
		}
	}
	return nil
}

// generation returns a number that changes with the rules.
func (r reader) generation() (n uint32, err error) {
	const id = 1 // NFTA_GEN_ID
	err = r.request(unix.NFT_MSG_GETGEN, unix.NFPROTO_UNSPEC, 0, nil, func(_ uint8, b []byte) { n = parse(b).number(id) })
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return 0, fmt.Errorf("%w: %w", errors.ErrUnsupported, err) // this kernel has no nftables
	}
	return n, err
}

// rules reads the tables with base chains that matter, their rules and the sets that
// these use.
func (r reader) rules() (*ruleset, error) {
	out := &ruleset{chains: map[chainKey]*chain{}, sets: map[setKey]*set{}}
	dormant := map[tableKey]bool{}
	err := r.request(unix.NFT_MSG_GETTABLE, unix.NFPROTO_UNSPEC, netlink.Dump, nil, func(family uint8, b []byte) {
		const isDormant = 1 // NFT_TABLE_F_DORMANT
		a := parse(b)
		dormant[tableKey{family, a.text(unix.NFTA_TABLE_NAME)}] = a.number(unix.NFTA_TABLE_FLAGS)&isDormant != 0
	})
	if err != nil {
		return nil, err
	}
	wanted := map[tableKey]bool{}
	err = r.request(unix.NFT_MSG_GETCHAIN, unix.NFPROTO_UNSPEC, netlink.Dump, nil, func(family uint8, b []byte) {
		c := decodeChain(family, b)
		if dormant[c.key.table] {
			return
		}
		out.chains[c.key] = c
		if c.hook != noHook && c.hook != otherHook && family != unix.NFPROTO_ARP && family != unix.NFPROTO_BRIDGE {
			wanted[c.key.table] = true
		}
	})
	if err != nil {
		return nil, err
	}
	for t := range wanted {
		if err := r.table(out, t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// table reads the rules of a table, and the sets that they use.
func (r reader) table(out *ruleset, t tableKey) error {
	used := map[setKey]bool{}
	name := netlink.Attribute{Type: unix.NFTA_RULE_TABLE, Data: []byte(t.name + "\x00")}
	err := r.request(unix.NFT_MSG_GETRULE, t.family, netlink.Dump, []netlink.Attribute{name}, func(family uint8, b []byte) {
		a := parse(b)
		c := out.chains[chainKey{tableKey{family, a.text(unix.NFTA_RULE_TABLE)}, a.text(unix.NFTA_RULE_CHAIN)}]
		if c == nil || c.key.table != t {
			return // old kernels return all tables
		}
		one := decodeRule(t, a[unix.NFTA_RULE_EXPRESSIONS])
		c.rules = append(c.rules, one)
		for _, s := range one {
			switch s := s.(type) {
			case search:
				if s.inline == nil {
					used[s.set] = true
				}
			case setsMark:
				out.setsMark = true
			case untracks:
				out.untracks = true
			}
		}
	})
	if err != nil || len(used) == 0 {
		return err
	}
	return r.tableSets(out, t, used)
}

// tableSets reads the sets of a table that are used.
func (r reader) tableSets(out *ruleset, t tableKey, used map[setKey]bool) error {
	table := netlink.Attribute{Type: unix.NFTA_SET_TABLE, Data: []byte(t.name + "\x00")}
	err := r.request(unix.NFT_MSG_GETSET, t.family, netlink.Dump, []netlink.Attribute{table}, func(family uint8, b []byte) {
		name, s := decodeSet(b)
		if key := (setKey{t, name}); used[key] && family == t.family {
			out.sets[key] = s
		}
	})
	if err != nil {
		return err
	}
	for key := range used {
		s := out.sets[key]
		if s == nil {
			continue
		}
		var raw []rawElement
		name := netlink.Attribute{Type: unix.NFTA_SET_ELEM_LIST_SET, Data: []byte(key.name + "\x00")}
		err := r.request(unix.NFT_MSG_GETSETELEM, t.family, netlink.Dump, []netlink.Attribute{table, name}, func(_ uint8, b []byte) {
			raw = append(raw, decodeElements(b)...)
		})
		if err != nil {
			return err
		}
		s.elements = pairElements(s, raw)
	}
	return nil
}
