package inuse

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
)

func TestSentences(t *testing.T) {
	at := netip.MustParseAddrPort
	python := []monitor.Owner{{PID: 812, Name: "python3"}}
	for _, test := range []struct {
		uses []Use
		want string
	}{
		{nil, ""},
		{[]Use{{Kind: Bound, Protocol: monitor.TCP, Local: at("127.0.0.1:62893"), Owners: python}},
			"python3 (PID 812) has bound 127.0.0.1:62893 without listening, so no other program can bind it."},
		{[]Use{{Kind: Connected, Protocol: monitor.TCP, State: "ESTABLISHED", Local: at("127.0.0.1:43110"), Remote: at("127.0.0.1:8001"), Owners: python}},
			"python3 (PID 812) uses 127.0.0.1:43110 as the local end of a connection to 127.0.0.1:8001, so a server can't bind the port until the connection ends, unless both programs set SO_REUSEADDR. The port is in the ephemeral port range of this system (32768-60999), from which connections get their ports."},
		{[]Use{{Kind: Connected, Protocol: monitor.TCP, State: "FIN_WAIT2", Local: at("127.0.0.1:80"), Remote: at("127.0.0.1:5"), Owners: python}},
			"python3 (PID 812) uses 127.0.0.1:80 as the local end of a connection to 127.0.0.1:5 that is half closed (FIN_WAIT2), so a server can't bind the port until the connection ends, unless both programs set SO_REUSEADDR."},
		{[]Use{{Kind: Connected, Protocol: monitor.TCP, State: "FIN_WAIT2", Local: at("127.0.0.1:80"), Remote: at("127.0.0.1:5")}},
			"A connection from 127.0.0.1:80 to 127.0.0.1:5 is closing (FIN_WAIT2); no process holds it any more. A server can't bind the port until the connection ends, unless it sets SO_REUSEADDR."},
		{[]Use{{Kind: TimeWait, Protocol: monitor.TCP, Local: at("127.0.0.1:80"), Expires: 500 * time.Millisecond}, {Kind: TimeWait, Protocol: monitor.TCP, Local: at("127.0.0.1:80"), Expires: 41500 * time.Millisecond}},
			"2 closed connections keep 127.0.0.1:80 for up to another 42 s (TIME_WAIT), unless the server sets SO_REUSEADDR."},
		{[]Use{{Kind: Listening, Protocol: monitor.TCP, Local: at("192.168.7.2:7000"), Device: "eth0", User: "ann", OwnerUnknown: monitor.UnknownForeign}},
			"A process of ann listens on 192.168.7.2:7000 on the interface eth0, so another server can't bind that address or all addresses."},
		{[]Use{{Kind: Listening, Protocol: monitor.UDP, Local: at("0.0.0.0:4789"), OwnerUnknown: monitor.UnknownKernel}},
			"The Linux kernel uses UDP port 4789 (0.0.0.0:4789)."},
		{[]Use{{Kind: Listening, Protocol: monitor.UDP, Local: at("0.0.0.0:4789"), OwnerUnknown: monitor.UnknownNotFound}},
			"The kernel or a process that Porthole can't see uses UDP port 4789 (0.0.0.0:4789)."},
	} {
		var got []string
		for _, s := range Sentences(test.uses, monitor.Ports{{First: 32768, Last: 60999}}) {
			got = append(got, s.String())
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("got  %s\nwant %s", text, test.want)
		}
	}
}

// A process that has bound a port for IPv4 and IPv6 gets one sentence.
func TestSentenceOfBothFamilies(t *testing.T) {
	bound := func(local string, pid int) Use {
		return Use{Kind: Bound, Protocol: monitor.TCP, Local: netip.MustParseAddrPort(local), Owners: []monitor.Owner{{PID: pid, Start: 1, Name: "porthole"}}}
	}
	for _, test := range []struct {
		uses []Use
		want []string
	}{
		{[]Use{bound("0.0.0.0:3001", 7), bound("[::]:3001", 7)}, []string{"porthole (PID 7) has bound 0.0.0.0:3001 and [::]:3001 without listening, so no other program can bind them."}},
		{[]Use{bound("0.0.0.0:3001", 7), bound("[::]:3001", 8)}, []string{"porthole (PID 7) has bound 0.0.0.0:3001 without listening, so no other program can bind it.",
			"porthole (PID 8) has bound [::]:3001 without listening, so no other program can bind it."}},
	} {
		var got []string
		for _, s := range Sentences(test.uses, nil) {
			got = append(got, s.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
