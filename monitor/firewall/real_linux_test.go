package firewall

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/monitor"
)

// The test's own network namespace has two links to a second one, which is the other
// machine. The kernel judges: does a real connection from there succeed?

// link is a veth pair.
type link struct{ name, peer, v4, v6 string } // the networks without the last number

var links = []link{{"near0", "far0", "10.7.0.", "fd07::"}, {"near1", "far1", "10.8.0.", "fd08::"}}

// hosts are the last numbers of the other machine's addresses in each network. This
// machine has 1.
var hosts = []string{"2", "9"}

// farSide runs functions in the namespace of the other machine, some at a time.
type farSide struct{ do chan func() }

func newFarSide(t *testing.T, links []link) farSide {
	t.Helper()
	far := farSide{make(chan func())}
	thread, namespace := 0, -1
	work := func(enter func() error) {
		entered := make(chan error)
		go func() { // ends with the test
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			entered <- enter()
			for f := range far.do {
				f()
			}
		}()
		if err := <-entered; err != nil {
			t.Skipf("cannot use a second network namespace: %v", err)
		}
	}
	work(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			thread = unix.Gettid()
			namespace, err = unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", thread), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
		return err
	})
	for range len(links)*len(hosts) - 1 {
		work(func() error { return unix.Setns(namespace, unix.CLONE_NEWNET) })
	}
	t.Cleanup(func() { close(far.do); unix.Close(namespace) })
	for _, l := range links {
		if out, err := exec.Command("ip", "link", "add", l.name, "type", "veth", "peer", "name", l.peer, "netns", fmt.Sprint(thread)).CombinedOutput(); err != nil {
			t.Skipf("cannot make a veth pair: %v: %s", err, out)
		}
		run(t, "ip", "addr", "add", l.v4+"1/24", "dev", l.name)
		run(t, "ip", "addr", "add", l.v6+"1/64", "dev", l.name, "nodad")
		run(t, "ip", "link", "set", l.name, "up")
		far.in(func() {
			for _, h := range hosts {
				run(t, "ip", "addr", "add", l.v4+h+"/24", "dev", l.peer)
				run(t, "ip", "addr", "add", l.v6+h+"/64", "dev", l.peer, "nodad")
			}
			run(t, "ip", "link", "set", l.peer, "up")
		})
	}
	return far
}

// in runs f in the namespace of the other machine.
func (far farSide) in(f func()) {
	done := make(chan struct{})
	far.do <- func() { defer close(done); f() }
	<-done
}

func run(t *testing.T, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(command, " "), err, out)
	}
}

// How long a connection is waited for. One that is dropped never answers.
const (
	patience     = 300 * time.Millisecond
	muchPatience = 5 * time.Second // if it ought to succeed
)

// connects reports whether a connection from an address of the other machine gets an
// answer.
func (far farSide) connects(protocol monitor.Protocol, from netip.Addr, to netip.AddrPort, wait time.Duration) (ok bool) {
	far.in(func() {
		d := net.Dialer{Timeout: wait, LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
		if protocol == monitor.UDP {
			d.LocalAddr = &net.UDPAddr{IP: from.AsSlice()}
		}
		c, err := d.Dial(string(protocol), to.String())
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(wait))
		if protocol == monitor.UDP {
			_, _ = c.Write([]byte("?"))
		}
		n, err := c.Read(make([]byte, 1))
		ok = n == 1 && err == nil
	})
	return ok
}

// serve listens on a port of all addresses and answers everything with one byte.
func serve(t *testing.T, protocol monitor.Protocol, address netip.Addr) *monitor.Listener {
	t.Helper()
	l := &monitor.Listener{ID: "x", Protocol: protocol, Exposure: monitor.ExposureNetwork}
	network := map[bool]string{true: "4", false: "6"}[address.Is4()]
	if protocol == monitor.UDP {
		c, err := net.ListenPacket("udp"+network, netip.AddrPortFrom(address, 5050).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			for b := make([]byte, 1); ; {
				_, from, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(b, from)
			}
		}()
	} else {
		s, err := net.Listen("tcp"+network, netip.AddrPortFrom(address, 5050).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		go func() {
			for {
				c, err := s.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte("!"))
				_ = c.Close()
			}
		}()
	}
	l.Port = 5050
	l.Addresses = []netip.Addr{address}
	l.Sockets = []monitor.HeldSocket{{Socket: monitor.Socket{Protocol: protocol, Address: address, Port: 5050, V6Only: address.Is6()}}}
	return l
}

// promises returns what an answer says about a connection through a link from an
// address.
func promises(f monitor.Firewall, through string, from netip.Addr) bool {
	in := func(prefixes []string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return netip.MustParsePrefix(p).Contains(from) })
	}
	switch f.State {
	case monitor.FirewallAllowed:
		return !in(f.Except)
	case monitor.FirewallLimited:
		return !in(f.Except) && (f.Interfaces == nil || slices.Contains(f.Interfaces, through)) && (f.Sources == nil || in(f.Sources))
	}
	return false
}

type realCase struct {
	name string
	nft  string   // the content of "table inet t"
	more []string // commands for sh
	udp  bool
	v6   bool
	want monitor.FirewallState
	text string // of the reason, the sources, the exceptions or the interfaces; "" for any
}

const dropPolicy = "chain in { type filter hook input priority 0; policy drop; "
const acceptPolicy = "chain in { type filter hook input priority 0; policy accept; "

var realCases = []realCase{
	{name: "no rules", want: monitor.FirewallAllowed},
	{name: "policy drop", nft: dropPolicy + "}", want: monitor.FirewallBlocked},
	{name: "policy drop, the port accepted", nft: dropPolicy + "tcp dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "policy drop, another port accepted", nft: dropPolicy + "tcp dport 5051 accept; }", want: monitor.FirewallBlocked},
	{name: "policy drop, the UDP port accepted", nft: dropPolicy + "udp dport 5050 accept; }", want: monitor.FirewallBlocked},
	{name: "UDP", udp: true, nft: dropPolicy + "udp dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "UDP dropped", udp: true, nft: dropPolicy + "tcp dport 5050 accept; }", want: monitor.FirewallBlocked},
	{name: "range", nft: dropPolicy + "tcp dport 5000-5100 accept; }", want: monitor.FirewallAllowed},
	{name: "other range", nft: dropPolicy + "tcp dport 5051-5100 accept; }", want: monitor.FirewallBlocked},
	{name: "not a range", nft: acceptPolicy + "tcp dport != 5000-5100 accept; drop; }", want: monitor.FirewallBlocked},
	{name: "less than", nft: acceptPolicy + "tcp dport < 5051 accept; drop; }", want: monitor.FirewallAllowed},
	{name: "greater than", nft: acceptPolicy + "tcp dport > 5050 accept; drop; }", want: monitor.FirewallBlocked},
	{name: "set", nft: dropPolicy + "tcp dport { 22, 5050 } accept; }", want: monitor.FirewallAllowed},
	{name: "set without it", nft: dropPolicy + "tcp dport { 22, 80 } accept; }", want: monitor.FirewallBlocked},
	{name: "set of ranges", nft: dropPolicy + "tcp dport { 22, 5000-5049, 5050-5060, 6000-65535 } accept; }", want: monitor.FirewallAllowed},
	{name: "set of ranges without it", nft: dropPolicy + "tcp dport { 22, 5000-5049, 5051-5060 } accept; }", want: monitor.FirewallBlocked},
	{name: "not in a set", nft: acceptPolicy + "tcp dport != { 22, 80 } drop; }", want: monitor.FirewallBlocked},
	{name: "named set", nft: "set open { type inet_service; flags interval; elements = { 22, 5000-5100 }; }; " + dropPolicy + "tcp dport @open accept; }", want: monitor.FirewallAllowed},
	{name: "verdict map", nft: dropPolicy + "tcp dport vmap { 22 : accept, 5050 : accept, 80 : drop }; }", want: monitor.FirewallAllowed},
	{name: "verdict map drops", nft: acceptPolicy + "tcp dport vmap { 22 : accept, 5000-5100 : drop }; }", want: monitor.FirewallBlocked},
	{name: "verdict map jumps", nft: "chain web { tcp dport 5050 accept; }; " + dropPolicy + "tcp dport vmap { 22 : accept, 5050 : jump web }; }", want: monitor.FirewallAllowed},
	{name: "jump and return", nft: "chain web { tcp dport 5050 return; accept; }; " + dropPolicy + "jump web; }", want: monitor.FirewallBlocked},
	{name: "jump comes back", nft: "chain web { tcp dport 22 accept; }; " + dropPolicy + "jump web; tcp dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "goto does not come back", nft: "chain web { tcp dport 22 accept; }; " + dropPolicy + "goto web; tcp dport 5050 accept; }", want: monitor.FirewallBlocked},
	{name: "connection tracking", nft: dropPolicy + "ct state established,related accept; ct state invalid drop; }", want: monitor.FirewallBlocked},
	{name: "connection tracking, new", nft: dropPolicy + "ct state established,related accept; ct state new tcp dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "connection tracking map", nft: dropPolicy + "ct state vmap { established : accept, related : accept, invalid : drop }; tcp dport 5050 ct state new accept; }", want: monitor.FirewallAllowed},
	{name: "only loopback", nft: dropPolicy + "iif lo accept; iifname \"lo\" accept; }", want: monitor.FirewallBlocked},
	{name: "one interface", nft: dropPolicy + "iifname \"near1\" accept; ct state established accept; }", want: monitor.FirewallLimited, text: "near1"},
	{name: "one interface, with a block list", nft: dropPolicy + "ip saddr 10.8.0.9 drop; iifname \"near1\" accept; ct state established accept; }", want: monitor.FirewallLimited, text: "[10.8.0.9/32] [near1]"},
	{name: "interface prefix", nft: dropPolicy + "iifname \"near*\" accept; }", want: monitor.FirewallAllowed},
	{name: "interface set", nft: dropPolicy + "iifname { \"lo\", \"near0\" } accept; ct state established accept; }", want: monitor.FirewallLimited, text: "near0"},
	{name: "source address", nft: dropPolicy + "ip saddr 10.7.0.2 tcp dport 5050 accept; }", want: monitor.FirewallLimited, text: "10.7.0.2/32"},
	{name: "source network", nft: dropPolicy + "ip saddr 10.7.0.0/24 tcp dport 5050 accept; }", want: monitor.FirewallLimited, text: "10.7.0.0/24"},
	{name: "source network of odd size", nft: dropPolicy + "ip saddr 10.7.0.0/29 tcp dport 5050 accept; }", want: monitor.FirewallLimited, text: "10.7.0.0/29"},
	{name: "source range", nft: dropPolicy + "ip saddr 10.7.0.3-10.7.0.20 tcp dport 5050 accept; }", want: monitor.FirewallLimited},
	{name: "source set", nft: dropPolicy + "ip saddr { 10.7.0.9, 10.8.0.0/24 } tcp dport 5050 accept; }", want: monitor.FirewallLimited, text: "10.7.0.9/32 10.8.0.0/24"},
	{name: "not a source", nft: acceptPolicy + "ip saddr != 10.7.0.0/24 drop; }", want: monitor.FirewallLimited, text: "10.7.0.0/24"},
	{name: "block list", nft: acceptPolicy + "ip saddr { 10.7.0.9, 192.0.2.0/24 } drop; }", want: monitor.FirewallAllowed, text: "10.7.0.9/32 192.0.2.0/24"},
	{name: "concatenation", nft: dropPolicy + "ip saddr . tcp dport { 10.7.0.2 . 5050, 10.7.0.9 . 22 } accept; }", want: monitor.FirewallLimited, text: "10.7.0.2/32"},
	{name: "concatenated ranges", nft: "set s { type ipv4_addr . inet_service; flags interval; elements = { 10.7.0.0/29 . 5000-5100, 10.7.0.9 . 22-80 }; }; " + dropPolicy + "ip saddr . tcp dport @s accept; }", want: monitor.FirewallLimited, text: "10.7.0.0/29"},
	{name: "source map", nft: dropPolicy + "ip saddr vmap { 10.7.0.2 : accept, 10.7.0.9 : drop }; }", want: monitor.FirewallLimited, text: "10.7.0.2/32"},
	{name: "own address as the source", nft: dropPolicy + "ip saddr 10.7.0.1 accept; ip saddr 127.0.0.0/8 accept; }", want: monitor.FirewallBlocked},
	{name: "destination", nft: dropPolicy + "ip daddr 10.7.0.1 tcp dport 5050 accept; }", want: monitor.FirewallLimited, text: "near0"},
	{name: "reject", nft: acceptPolicy + "tcp dport 5050 reject; }", want: monitor.FirewallBlocked},
	{name: "reject with a reset", nft: acceptPolicy + "tcp dport 5050 reject with tcp reset; }", want: monitor.FirewallBlocked},
	{name: "a later chain drops", nft: acceptPolicy + "accept; }; chain late { type filter hook input priority 10; tcp dport 5050 drop; }", want: monitor.FirewallBlocked},
	{name: "an earlier chain accepts", nft: "chain early { type filter hook input priority -10; tcp dport 5050 accept; }; " + dropPolicy + "}", want: monitor.FirewallBlocked},
	{name: "prerouting drops", nft: "chain pre { type filter hook prerouting priority -300; tcp dport 5050 drop; }", want: monitor.FirewallBlocked},
	{name: "ingress drops", more: []string{`nft 'table netdev d {
chain i { type filter hook ingress device "near0" priority 0; tcp dport 5050 drop; }
}'`}, want: monitor.FirewallLimited, text: "near1"},
	{name: "output and forward do not matter", nft: "chain f { type filter hook forward priority 0; policy drop; }; chain o { type filter hook output priority 0; tcp sport 22 drop; }", want: monitor.FirewallAllowed},
	{name: "limit", nft: dropPolicy + "tcp dport 5050 limit rate 100/second accept; ct state established accept; }", want: monitor.FirewallAllowed},
	{name: "limit over", nft: acceptPolicy + "tcp dport 5050 limit rate over 1000/second drop; }", want: monitor.FirewallAllowed},
	{name: "meter", nft: "set m { type ipv4_addr; size 100; flags dynamic; timeout 1m; }; " + acceptPolicy + "tcp dport 5050 add @m { ip saddr limit rate over 1000/second } drop; }", want: monitor.FirewallAllowed},
	{name: "counter and log change nothing", nft: dropPolicy + "counter; log prefix \"x\"; tcp dport 5050 counter accept; }", want: monitor.FirewallAllowed},
	{name: "mark that nobody sets", nft: dropPolicy + "meta mark 5 drop; tcp dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "mark that a rule sets", nft: "chain pre { type filter hook prerouting priority -150; ip saddr 10.7.0.9 meta mark set 5; }; " + acceptPolicy + "meta mark 5 drop; }", want: monitor.FirewallUnknown, text: monitor.ConditionMark},
	{name: "MAC address", nft: dropPolicy + "ether saddr 00:11:22:33:44:55 accept; }", want: monitor.FirewallUnknown, text: monitor.ConditionMAC},
	{name: "MAC address that changes nothing", nft: dropPolicy + "ether saddr 00:11:22:33:44:55 drop; }", want: monitor.FirewallBlocked},
	{name: "source port", nft: dropPolicy + "tcp sport 22 accept; }", want: monitor.FirewallUnknown, text: monitor.ConditionSourcePort},
	{name: "time", nft: dropPolicy + "meta hour \"01:00\"-\"02:00\" accept; }", want: monitor.FirewallUnknown, text: monitor.ConditionTime},
	{name: "queue", more: []string{"iptables -A INPUT -p tcp --dport 5050 -j NFQUEUE --queue-num 3"}, want: monitor.FirewallUnknown, text: monitor.ConditionProgram},
	{name: "reverse path", nft: "chain pre { type filter hook prerouting priority -300; fib saddr . iif oif missing drop; }; " + acceptPolicy + "fib daddr type local accept; drop; }", want: monitor.FirewallAllowed},
	{name: "SYN flags", nft: acceptPolicy + "tcp flags & (fin|syn|rst|ack) == syn drop; }", want: monitor.FirewallBlocked},
	{name: "protocol set", nft: dropPolicy + "meta l4proto { tcp, udp } th dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "dormant table", more: []string{`nft 'table inet d {
flags dormant; chain in { type filter hook input priority 0; policy drop; }
}'`}, want: monitor.FirewallAllowed},
	{name: "catch-all element", nft: "map m { type ipv4_addr : verdict; elements = { 10.7.0.2 : accept, * : drop }; }; " + acceptPolicy + "ip saddr vmap @m; }", want: monitor.FirewallLimited, text: "10.7.0.2/32"},
	{name: "redirect elsewhere", nft: "chain pre { type nat hook prerouting priority -100; tcp dport 5050 redirect to :5051; }", want: monitor.FirewallUnknown},
	{name: "redirect from elsewhere", nft: "chain pre { type nat hook prerouting priority -100; tcp dport 80 redirect to :5050; }; " + dropPolicy + "}", want: monitor.FirewallUnknown},
	{name: "redirect of another port", nft: "chain pre { type nat hook prerouting priority -100; tcp dport 80 redirect to :8080; }; " + dropPolicy + "}", want: monitor.FirewallBlocked},
	{name: "IPv6 only", v6: true, more: []string{`nft 'table ip6 t {
chain in { type filter hook input priority 0; policy drop; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
}'`}, want: monitor.FirewallBlocked},
	{name: "IPv6 rules do not concern IPv4", more: []string{`nft 'table ip6 t {
chain in { type filter hook input priority 0; policy drop; }
}'`}, want: monitor.FirewallAllowed},
	{name: "IPv6 port", v6: true, nft: dropPolicy + "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; tcp dport 5050 accept; }", want: monitor.FirewallAllowed},
	{name: "IPv6 source", v6: true, nft: dropPolicy + "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; ip6 saddr fd07::8/125 tcp dport 5050 accept; }", want: monitor.FirewallLimited, text: "fd07::8/125"},
	{name: "IPv6 source set", v6: true, nft: dropPolicy + "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; ip6 saddr { fd07::2, fd08::/64 } accept; }", want: monitor.FirewallLimited, text: "fd07::2/128 fd08::/64"},
	{name: "IPv6 concatenation", v6: true, nft: "set s { type ipv6_addr . inet_service; flags interval; elements = { fd07::1-fd07::5 . 5000-5100 }; }; " + dropPolicy + "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; ip6 saddr . tcp dport @s accept; }", want: monitor.FirewallLimited},
	{name: "iptables", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -p tcp --dport 5050 -j ACCEPT"}, want: monitor.FirewallAllowed},
	{name: "iptables drops", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -i lo -j ACCEPT", "iptables -A INPUT -p tcp --dport 22 -j ACCEPT"}, want: monitor.FirewallBlocked},
	{name: "iptables multiport", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -p tcp -m multiport --dports 22,80,5000:5100 -m comment --comment web -j ACCEPT"}, want: monitor.FirewallAllowed},
	{name: "iptables multiport of others", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -p tcp -m multiport --dports 22,80:443 -j ACCEPT"}, want: monitor.FirewallBlocked},
	{name: "iptables not multiport", more: []string{"iptables -A INPUT -p tcp -m multiport ! --dports 22,80:443 -j REJECT"}, want: monitor.FirewallBlocked},
	{name: "iptables conntrack", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "iptables -A INPUT -p tcp --dport 5050 -m conntrack --ctstate NEW -j ACCEPT"}, want: monitor.FirewallAllowed},
	{name: "iptables state", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT"}, want: monitor.FirewallBlocked},
	{name: "iptables not a state", more: []string{"iptables -A INPUT -p tcp --dport 5050 -m conntrack ! --ctstate ESTABLISHED -j DROP"}, want: monitor.FirewallBlocked},
	{name: "iptables source", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -s 10.7.0.8/29 -p tcp --dport 5050 -j ACCEPT"}, want: monitor.FirewallLimited, text: "10.7.0.8/29"},
	{name: "iptables not a source", more: []string{"iptables -A INPUT ! -s 10.7.0.8/29 -j DROP"}, want: monitor.FirewallLimited, text: "10.7.0.8/29"},
	{name: "iptables range", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -m iprange --src-range 10.7.0.1-10.7.0.5 -j ACCEPT"}, want: monitor.FirewallLimited},
	{name: "iptables chain", more: []string{"iptables -N web", "iptables -A web -p tcp --dport 5050 -j RETURN", "iptables -A web -j DROP", "iptables -A INPUT -j web"}, want: monitor.FirewallAllowed},
	{name: "iptables reject", more: []string{"iptables -A INPUT -p tcp --dport 5000:5100 -j REJECT --reject-with tcp-reset"}, want: monitor.FirewallBlocked},
	{name: "iptables limit and log", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -m limit --limit 3/min -j LOG", "iptables -A INPUT -p tcp --syn --dport 5050 -m addrtype --dst-type LOCAL -j ACCEPT", "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"}, want: monitor.FirewallAllowed},
	{name: "iptables recent, as ufw limit", more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -p tcp --dport 5050 -m conntrack --ctstate NEW -m recent --set", "iptables -A INPUT -p tcp --dport 5050 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 20 -j DROP", "iptables -A INPUT -p tcp --dport 5050 -j ACCEPT"}, want: monitor.FirewallAllowed},
	{name: "iptables mark", more: []string{"iptables -t mangle -A PREROUTING -s 10.7.0.9 -j MARK --set-mark 1", "iptables -A INPUT -m mark --mark 1 -j DROP"}, want: monitor.FirewallUnknown, text: monitor.ConditionMark},
	{name: "iptables string", more: []string{"iptables -A INPUT -m string --algo bm --string x -j DROP"}, want: monitor.FirewallUnknown, text: "“string”"},
	{name: "ip6tables", v6: true, more: []string{"ip6tables -P INPUT DROP", "ip6tables -A INPUT -p ipv6-icmp -j ACCEPT", "ip6tables -A INPUT -s fd07::9 -p tcp -m tcp --dport 5050 -j ACCEPT"}, want: monitor.FirewallLimited, text: "fd07::9/128"},
	{name: "iptables udp", udp: true, more: []string{"iptables -P INPUT DROP", "iptables -A INPUT -p udp -m udp --dport 5050 -j ACCEPT"}, want: monitor.FirewallAllowed},
}

func TestAnswersAgreeWithRealConnections(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	if err := exec.Command("nft", "list", "ruleset").Run(); err != nil {
		t.Skipf("needs nft and nftables in the kernel: %v", err)
	}
	far := newFarSide(t, links)
	m, err := readMachine()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range realCases {
		t.Run(c.name, func(t *testing.T) { c.run(t, far, m) })
	}
}

func (c realCase) run(t *testing.T, far farSide, m machine) {
	run(t, "nft", "flush", "ruleset")
	if c.nft != "" {
		run(t, "nft", "table inet t {\n"+c.nft+"\n}")
	}
	for _, command := range c.more {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", command, err, out)
		}
	}
	protocol, address := monitor.TCP, netip.IPv4Unspecified()
	if c.udp {
		protocol = monitor.UDP
	}
	if c.v6 {
		address = netip.IPv6Unspecified()
	}
	l := serve(t, protocol, address)
	rules, err := readRules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := rules.answer(l, m)
	if got.State != c.want || c.text != "" && !strings.Contains(fmt.Sprint(got.Sources, " ", got.Except, " ", got.Interfaces, " ", got.Why), c.text) {
		t.Errorf("got %+v, want %s %s", got, c.want, c.text)
	}
	if got.State == monitor.FirewallUnknown {
		return
	}
	var tried sync.WaitGroup
	defer tried.Wait()
	for _, link := range links {
		network := link.v4
		if c.v6 {
			network = link.v6
		}
		for _, host := range hosts {
			tried.Go(func() { c.compare(t, far, got, link.name, network, host) })
		}
	}
}

// compare compares what an answer says about a connection with a real one.
func (c realCase) compare(t *testing.T, far farSide, got monitor.Firewall, link, network, host string) {
	protocol := monitor.TCP
	if c.udp {
		protocol = monitor.UDP
	}
	from, to := netip.MustParseAddr(network+host), netip.AddrPortFrom(netip.MustParseAddr(network+"1"), 5050)
	want := promises(got, link, from)
	real := far.connects(protocol, from, to, patience)
	if want && !real {
		real = far.connects(protocol, from, to, muchPatience)
	}
	if real != want {
		t.Errorf("from %s to %s: connected %t, but the answer is %+v", from, to, real, got)
	}
}

// Rules of iptables-legacy can't be read, so they are not ignored.
func TestLegacyRulesMakeTheAnswerUnknown(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	newFarSide(t, links)
	l := serve(t, monitor.TCP, netip.IPv4Unspecified())
	ask := func() monitor.Firewall { return New().Ask(t.Context(), []*monitor.Listener{l})[l.ID] }
	if f := ask(); f.State != monitor.FirewallAllowed {
		t.Errorf("without rules: got %+v, want allowed", f)
	}
	if out, err := exec.Command("iptables-legacy", "-A", "INPUT", "-p", "tcp", "--dport", "5050", "-j", "DROP").CombinedOutput(); err != nil {
		t.Skipf("needs iptables-legacy: %v: %s", err, out)
	}
	if f := ask(); f.Why.Text != monitor.FirewallLegacy {
		t.Errorf("got %+v, want unknown because of iptables-legacy", f)
	}
	run(t, "nft", "table inet t {\n"+dropPolicy+"}\n}")
	if f := ask(); f.State != monitor.FirewallBlocked {
		t.Errorf("blocked by nftables as well: got %+v, want blocked", f)
	}
}

// The Asker reads the rules by itself.
func TestAskReadsTheRules(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	if err := exec.Command("nft", "table inet t {\n"+dropPolicy+"}\n}").Run(); err != nil {
		t.Skipf("needs nft and nftables in the kernel: %v", err)
	}
	newFarSide(t, links)
	l := serve(t, monitor.TCP, netip.IPv4Unspecified())
	local := &monitor.Listener{ID: "local", Exposure: monitor.ExposureLoopback}
	got := New().Ask(context.Background(), []*monitor.Listener{l, local})
	if f := got[l.ID]; f.State != monitor.FirewallBlocked || f.By != nftables || len(got) != 1 {
		t.Errorf("got %+v, want only %s, blocked by nftables", got, l.ID)
	}
}

// Docker's rules send connections to a published port to the container, past the input
// hook. The container is a third network namespace behind its own link.
func TestPublishedPortsOfContainers(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	if err := exec.Command("iptables", "-L").Run(); err != nil {
		t.Skipf("needs iptables: %v", err)
	}
	far := newFarSide(t, links)
	bridge := link{"docker9", "eth0", "172.20.0.", "fd20::"}
	container := newFarSide(t, []link{bridge})
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		t.Skipf("cannot forward packets: %v", err)
	}
	l := serve(t, monitor.TCP, netip.IPv4Unspecified()) // docker-proxy
	l.Container = &monitor.Container{Name: "web", Published: true}
	container.in(func() {
		run(t, "ip", "route", "add", "default", "via", bridge.v4+"1")
		s, err := net.Listen("tcp4", bridge.v4+"2:8080")
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = s.Close() })
		go func() {
			for {
				c, err := s.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte("!"))
				_ = c.Close()
			}
		}()
	})
	docker := []string{
		"iptables -P INPUT DROP", "iptables -P FORWARD DROP", "iptables -N DOCKER", "iptables -N DOCKER-USER", "iptables -t nat -N DOCKER",
		"iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
		"iptables -t nat -A DOCKER ! -i docker9 -p tcp -m tcp --dport 5050 -j DNAT --to-destination 172.20.0.2:8080",
		"iptables -A FORWARD -j DOCKER-USER", "iptables -A FORWARD -o docker9 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"iptables -A FORWARD -o docker9 -j DOCKER", "iptables -A FORWARD -i docker9 ! -o docker9 -j ACCEPT",
		"iptables -A DOCKER -d 172.20.0.2/32 ! -i docker9 -o docker9 -p tcp -m tcp --dport 8080 -j ACCEPT", "iptables -A DOCKER-USER -j RETURN",
	}
	m, err := readMachine()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		more []string
		want monitor.FirewallState
	}{
		{"INPUT does not protect it", nil, monitor.FirewallLimited}, // not from the container
		{"DOCKER-USER does", []string{"iptables -I DOCKER-USER -i near0 -j DROP", "iptables -I DOCKER-USER -i near1 -j DROP"}, monitor.FirewallBlocked},
		{"DOCKER-USER for one interface", []string{"iptables -I DOCKER-USER -i near0 -j DROP"}, monitor.FirewallLimited},
		{"DOCKER-USER for a network", []string{"iptables -I DOCKER-USER -s 10.7.0.0/24 -o docker9 -j DROP"}, monitor.FirewallLimited},
		{"DOCKER-USER by the original port", []string{"iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 5050 -j DROP"}, monitor.FirewallUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, "nft", "flush", "ruleset")
			for _, command := range slices.Concat(docker, c.more) {
				if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
					t.Skipf("%s: %v: %s", command, err, out)
				}
			}
			rules, err := readRules(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := rules.answer(l, m)
			if got.State != c.want {
				t.Errorf("got %+v, want %s", got, c.want)
			}
			if got.State == monitor.FirewallUnknown {
				return
			}
			for _, link := range links {
				for _, host := range hosts {
					realCase{}.compare(t, far, got, link.name, link.v4, host)
				}
			}
		})
	}
	t.Run("another program on the port", func(t *testing.T) {
		other := *l
		other.Container = nil
		rules, err := readRules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.answer(&other, m); got.State != monitor.FirewallUnknown {
			t.Errorf("got %+v, want unknown: the rules send its connections to the container", got)
		}
	})
}
