package cli

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/monitor"
)

// A real rule, as root sees it: the port is exposed and blocked, so there is no warning
// about the exposure.
func TestCommandsSayWhatTheFirewallDoes(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS) {
		return
	}
	for _, command := range []string{"ip link add a0 type veth peer name a1", "ip addr add 192.168.1.5/24 dev a0", "ip link set a0 up",
		"nft 'table inet t {\nchain in { type filter hook input priority 0; policy drop; iif lo accept; }\n}'"} {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", command, err, out)
		}
	}
	ln, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	local, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	ports := []string{portOf(ln), portOf(local)}
	for _, c := range []struct {
		name string
		run  func(context.Context, Options) error
	}{
		{"list", func(ctx context.Context, o Options) error { return runList(ctx, ports[:1], o) }},
		{"who", func(ctx context.Context, o Options) error { return runWho(ctx, ports[0], o) }},
		{"explain", func(ctx context.Context, o Options) error { return runExplain(ctx, ports[0], o) }},
	} {
		var text, encoded, notes strings.Builder
		if err := c.run(t.Context(), Options{Stdout: &text, Stderr: &notes, Verbose: true, All: true}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(text.String()), " "); !strings.Contains(got, "block") || strings.Contains(got, "! Exposed") {
			t.Errorf("%s: got %s, want that it is blocked, without a warning", c.name, &text)
		}
		if err := c.run(t.Context(), Options{Stdout: &encoded, Stderr: &notes, JSON: true, All: true}); err != nil {
			t.Fatal(err)
		}
		var got struct{ Listeners []listenerJSON }
		if err := json.Unmarshal([]byte(encoded.String()), &got); err != nil || len(got.Listeners) != 1 {
			t.Fatalf("%s: got %s, error %v", c.name, &encoded, err)
		}
		if f := got.Listeners[0].Firewall; f == nil || f.State != monitor.FirewallBlocked || f.By != "nftables" || f.Text != "The firewall blocks connections from other machines." {
			t.Errorf("%s: got %+v, want blocked by nftables", c.name, f)
		}
	}
	var encoded, notes strings.Builder
	if err := runList(t.Context(), ports[1:], Options{Stdout: &encoded, Stderr: &notes, JSON: true}); err != nil || strings.Contains(encoded.String(), `"firewall"`) {
		t.Errorf("a local port: got %s, error %v, want no answer", &encoded, err)
	}
}

func portOf(ln net.Listener) string {
	return strconv.Itoa(int(netip.MustParseAddrPort(ln.Addr().String()).Port()))
}
