package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/reply"
)

// connectTimeout is how long a test connection may take.
const connectTimeout = 2 * time.Second

// testConnectionJSON is the result of explain --connect and who --connect.
type testConnectionJSON struct {
	Address  string `json:"address"` // with the port
	Answered bool   `json:"answered"`
	Error    string `json:"error,omitempty"` // why it failed

	err   error
	reply *reply.Reply // the reply that it comes from; nil if only a connection was made
}

// connect asks the TCP listeners in details what answers, one after the other, and stores their
// replies there. If there are none, it makes a test connection to t.
func connect(ctx context.Context, t explain.Target, details []listenerDetails) (first *testConnectionJSON) {
	for i := range details {
		l := &details[i]
		if l.Protocol != monitor.TCP {
			continue
		}
		r := reply.Ask(ctx, l.Listener, t.Address, announceOwn)
		l.reply = &r
		if first == nil {
			first = &testConnectionJSON{Address: r.Address, Answered: r.Connected, reply: l.reply}
			if !r.Connected {
				first.Error = r.Headline().String()
			}
		}
	}
	if first == nil {
		return testConnection(ctx, t)
	}
	return first
}

// printReply prints what a server replied, in the lines after the details of its listener.
func printReply(w io.Writer, r *reply.Reply) error {
	if r == nil {
		return nil
	}
	_, _ = fmt.Fprintln(w, r.Headline().String()+".") // Flush returns errors
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Facts() {
		_, _ = fmt.Fprintf(t, "  %s\t%s\n", strings.ToLower(f.Label.String()), f.Value) // Flush returns errors
	}
	return t.Flush()
}

// testConnection opens one TCP connection to t and closes it without sending data. A
// target without an address, or with a wildcard, means localhost.
func testConnection(ctx context.Context, t explain.Target) *testConnectionJSON {
	address := "localhost"
	switch {
	case t.Localhost, !t.Address.IsValid():
	case t.Address.Unmap().IsUnspecified() && t.Address.Unmap().Is4():
		address = "127.0.0.1"
	case t.Address.IsUnspecified():
		address = netip.IPv6Loopback().String()
	default:
		address = t.Address.Unmap().String()
	}
	out := &testConnectionJSON{Address: net.JoinHostPort(address, strconv.Itoa(int(t.Port)))}
	dialer := net.Dialer{Timeout: connectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", out.Address)
	if err != nil {
		out.err, out.Error = err, monitor.Clean(err.Error(), 200)
		return out
	}
	_ = conn.Close() // nothing was sent
	out.Answered = true
	return out
}

// text returns the result as a sentence. listening is true if a listener is known.
func (c *testConnectionJSON) text(listening bool) string {
	switch {
	case c.Answered && listening:
		return "A test connection to " + c.Address + " was accepted."
	case c.Answered:
		return "A test connection to " + c.Address + " was accepted: something answers, for example because a firewall rule redirects the port."
	case errors.Is(c.err, syscall.ECONNREFUSED):
		return "A test connection to " + c.Address + " was refused."
	case errors.Is(c.err, os.ErrDeadlineExceeded):
		return "A test connection to " + c.Address + " got no answer within " + connectTimeout.String() + "."
	}
	return "A test connection to " + c.Address + " failed: " + c.Error + "."
}
