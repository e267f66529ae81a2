package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"porthole/monitor"
	"porthole/monitor/socket"
)

// maxAnswer limits the answers of local APIs and configuration files, which have a few kilobytes.
const maxAnswer = 64 << 10

// api gives access to the local API of one process.
type api struct {
	ctx context.Context // limits all questions to one process
	pid int
}

var errAnswer = errors.New("the answer is none of this API")

// maxAddresses limits how many of the ports of a process are asked.
const maxAddresses = 4

// listening returns the loopback addresses at which the process listens for TCP: only its own
// ports are asked, whatever usually listens elsewhere. It is empty if the ports of the process
// are not visible to this user.
func (a api) listening() (found []netip.AddrPort) {
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil))) // the monitor's table logs the same
	if err != nil {
		return nil
	}
	defer table.Close()
	sockets, _, err := table.Poll(monitor.PollOptions{Fresh: true})
	if err != nil {
		return nil
	}
	inodes := socketInodes(a.pid)
	for _, s := range sockets {
		if s.PID != a.pid && (s.Inode == 0 || !inodes[s.Inode]) || !s.AcceptsLoopback() || len(found) == maxAddresses {
			continue
		}
		address := s.Address.Unmap()
		switch {
		case address.IsUnspecified() && address.Is4():
			address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		case address.IsUnspecified():
			address = netip.IPv6Loopback()
		}
		found = append(found, netip.AddrPortFrom(address, s.Port))
	}
	return found
}

// get returns what a server at a loopback address answers to GET path with status 200.
func (a api) get(at netip.AddrPort, path string) ([]byte, error) {
	if !at.Addr().IsLoopback() {
		return nil, errAnswer
	}
	return a.fetch("tcp", at.String(), at.String(), path)
}

// getUnix is get for a server at a Unix socket, which expects that host.
func (a api) getUnix(socket, host, path string) ([]byte, error) {
	return a.fetch("unix", socket, host, path)
}

// fetch follows no redirect and uses no proxy.
func (a api) fetch(network, at, host, path string) ([]byte, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, at)
		},
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(a.ctx, http.MethodGet, "http://"+host+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", at, err)
	}
	if response.StatusCode != http.StatusOK || len(body) > maxAnswer {
		return nil, errAnswer
	}
	return body, nil
}
