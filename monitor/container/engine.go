package container

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/lookup"
)

// Limits for engines. A list of a thousand containers has 1.5 MB.
const (
	maxResponse   = 8 << 20
	engineTimeout = time.Second // for the complete response
)

// checkTimeout is how long to find out which engines run; a variable for tests on busy
// machines.
var checkTimeout = time.Second

// engineContainer is one running container in the response to
// GET /containers/json of Docker's Engine API
// (docs.docker.com/reference/api/engine), which Podman implements too. The list
// contains all that is needed; no further request per container is made.
type engineContainer struct {
	ID    string `json:"Id"`
	Names []string
	Image string
	Ports []struct {
		IP          string // address that the port is published on
		PrivatePort uint16
		PublicPort  uint16
		Type        string // "tcp", "udp"
	}
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress, GlobalIPv6Address string }
	}

	engine, socket string // which engine listed it, and where
}

// The engines, as in monitor.Container.Engine.
const (
	dockerEngine = "docker"
	podmanEngine = "podman"
)

// engines lists the containers of this machine's engines.
type engines struct {
	sockets []string                    // in the order in which they are asked
	uid     int                         // the user whose sockets are trusted, besides root's
	checks  *lookup.Table[string, bool] // whether something may connect to a socket

	mu         sync.Mutex // allows one request at a time
	fetchedAt  time.Time  // when containers was fetched
	containers []engineContainer
	answered   bool // at least one engine answered
	silent     bool // at least one engine that runs did not
}

// newEngines returns the engines of the user with that UID that may listen on sockets.
func newEngines(sockets []string, uid int) *engines {
	check := func(path string) bool { return trusted(path, uid) && engineRuns(path) }
	group := func(path string) string { return path } // one that hangs does not delay the others
	return &engines{sockets: sockets, uid: uid, checks: lookup.New(check, group, func(bool) time.Duration { return cacheTime })}
}

// running returns the sockets whose engine runs. slow is set if that is not known of
// all, because a file system does not answer: a socket may be in any folder, and a
// process that waits for a disk does not show its command line.
func (e *engines) running(ctx context.Context) (sockets []string, slow bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, path := range e.sockets {
		e.checks.Get(path) // all at the same time
	}
	for _, path := range e.sockets {
		a := e.checks.Await(ctx, path)
		slow = slow || a.Busy
		if a.Value {
			sockets = append(sockets, path)
		}
	}
	return sockets, slow
}

// A result is reused for cacheTime. If no engine answers, the next attempt is
// made after retryAfter.
const (
	cacheTime  = 500 * time.Millisecond
	retryAfter = 15 * time.Second
)

// list returns the running containers of all engines, or none if no engine
// answers, and whether one that runs does not.
func (e *engines) list(ctx context.Context) (containers []engineContainer, silent bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	validFor := cacheTime
	if !e.answered {
		validFor = retryAfter
	}
	if !e.fetchedAt.IsZero() && time.Since(e.fetchedAt) < validFor {
		return e.containers, e.silent
	}
	e.containers, e.answered, e.silent = nil, false, false
	running, slow := e.running(ctx)
	e.silent = slow
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	for _, path := range running {
		containers, err := fetch(ctx, path)
		if err != nil { // a failing engine contributes nothing
			e.silent = true
			continue
		}
		e.containers, e.answered = append(e.containers, containers...), true
	}
	e.fetchedAt = time.Now()
	return e.containers, e.silent
}

// get requests a path of the engine behind one Unix socket and returns the body and
// the headers of its answer.
func get(ctx context.Context, socket, path string) ([]byte, http.Header, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return nil, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err == nil && len(body) > maxResponse {
		err = errors.New("response too long")
	}
	return body, response.Header, err
}

// fetch lists the containers of the engine behind one Unix socket.
func fetch(ctx context.Context, path string) ([]engineContainer, error) {
	body, header, err := get(ctx, path, "/containers/json")
	if err != nil {
		return nil, fmt.Errorf("list containers of %s: %w", path, err)
	}
	var all []engineContainer
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("parse containers of %s: %w", path, err)
	}
	engine := dockerEngine // Podman may serve Docker's path, too
	if strings.Contains(path, podmanEngine) || strings.HasPrefix(header.Get("Server"), "Libpod/") {
		engine = podmanEngine
	}
	for i := range all {
		all[i].engine, all[i].socket = engine, path
	}
	return all, nil
}

// byID finds a container by its ID.
func byID(all []engineContainer, id string) (engineContainer, bool) {
	for _, c := range all {
		if id != "" && c.ID == id {
			return c, true
		}
	}
	return engineContainer{}, false
}

// byPublishedPort finds the container that publishes port on one of addresses. A
// container that publishes it on all addresses listens on a wildcard address, which
// need not be the one that the engine shows: rootless engines listen on [::] for
// 0.0.0.0, and Podman shows none.
func byPublishedPort(all []engineContainer, protocol string, addresses []netip.Addr, port uint16) (engineContainer, bool) {
	for _, exact := range []bool{true, false} {
		for _, c := range all {
			for _, p := range c.Ports {
				at, err := netip.ParseAddr(p.IP)
				everywhere := p.IP == "" || err == nil && at.IsUnspecified()
				switch {
				case p.PublicPort != port || p.Type != protocol:
				case exact && err == nil && slices.Contains(addresses, at),
					!exact && everywhere && slices.ContainsFunc(addresses, netip.Addr.IsUnspecified):
					return c, true
				}
			}
		}
	}
	return engineContainer{}, false
}

// byAddress finds the container with an address in the engine's networks.
func byAddress(all []engineContainer, address netip.Addr) (engineContainer, bool) {
	for _, c := range all {
		for _, n := range c.NetworkSettings.Networks {
			for _, text := range []string{n.IPAddress, n.GlobalIPv6Address} {
				if a, err := netip.ParseAddr(text); err == nil && a == address {
					return c, true
				}
			}
		}
	}
	return engineContainer{}, false
}

// name returns the container's name without the slash that the engine puts
// before it.
func (c engineContainer) name() string {
	for _, n := range c.Names { // "/web"; "/other/alias" is the name that a linked container uses
		if n = strings.TrimPrefix(n, "/"); n != "" && !strings.Contains(n, "/") {
			return n
		}
	}
	return ""
}

// image returns the image's name, or "" if the engine only knows a digest.
func (c engineContainer) image() string {
	if strings.HasPrefix(c.Image, "sha256:") {
		return ""
	}
	return c.Image
}

// State is what an engine reports about one container.
type State struct {
	RestartPolicy string // "no", "on-failure", "always", "unless-stopped"; "" if it is unknown
	Paused        bool
}

// StateOf returns the state of c as its engine reports it; zero if the engine does not
// answer.
func StateOf(ctx context.Context, c monitor.Container) (state State) {
	if c.Socket == "" || c.ID == "" || strings.Trim(c.ID, "0123456789abcdef") != "" {
		return state
	}
	body, _, err := get(ctx, c.Socket, "/containers/"+c.ID+"/json")
	if err != nil {
		return state
	}
	var details struct {
		HostConfig struct{ RestartPolicy struct{ Name string } }
		State      struct{ Paused bool }
	}
	if json.Unmarshal(body, &details) != nil {
		return state
	}
	return State{RestartPolicy: cmp.Or(details.HostConfig.RestartPolicy.Name, "no"), Paused: details.State.Paused}
}
