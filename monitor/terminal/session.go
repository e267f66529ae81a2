package terminal

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
)

// maxSession limits the length of the name of a session.
const maxSession = 40

// Session returns the cleaned name of the session of tmux or screen in which o was started, by
// its parents; "" if there is none, or if it is unknown: the multiplexer belongs to another user,
// or does not answer. It runs tmux, at most once in panesFor for each of its servers, so it must
// not be called on a goroutine that polls or draws.
func Session(ctx context.Context, o monitor.Owner) string {
	for _, p := range o.Parents {
		switch {
		case !process.IsAlive(p.PID, p.Start):
		case isMultiplexer(p, "tmux"):
			return tmuxSession(ctx, o, p.PID)
		case isMultiplexer(p, "screen"):
			return screenSession(o, p.PID)
		}
	}
	return ""
}

// InMultiplexer reports whether o has a parent whose session Session can name.
func InMultiplexer(o monitor.Owner) bool {
	for _, p := range o.Parents {
		if isMultiplexer(p, "tmux") || isMultiplexer(p, "screen") {
			return true
		}
	}
	return false
}

// isMultiplexer reports whether p is the server of the multiplexer of that name, whose process is
// called "tmux: server" or "SCREEN".
func isMultiplexer(p monitor.Parent, name string) bool {
	return len(p.Name) >= len(name) && strings.EqualFold(p.Name[:len(name)], name) && monitor.ProgramFile(p.Name) == name
}

// tmuxSession returns the name of the session that has the pane in which o was started, in the
// tmux server with that PID.
func tmuxSession(ctx context.Context, o monitor.Owner, pid int) string {
	s, err := newServer(o, pid)
	if err != nil {
		return ""
	}
	p, ok := findPane(known.panes(ctx, s), terminals(o))
	if !ok {
		return ""
	}
	return monitor.Clean(p.name, maxSession)
}

// screenSession returns the name in the variable STY of o or of a parent below screen with that
// PID: "812.web", or "812.pts-0.host" for a session without a name (screen(1)).
func screenSession(o monitor.Owner, pid int) string {
	pids := []int{o.PID}
	for _, p := range o.Parents {
		if p.PID == pid {
			break
		}
		pids = append(pids, p.PID)
	}
	for _, at := range pids {
		number, name, ok := strings.Cut(process.Variables(at, "STY")["STY"], ".")
		if ok && number == strconv.Itoa(pid) {
			return monitor.Clean(name, maxSession)
		}
	}
	return ""
}

// panesFor is how long the panes of a tmux server are used before it is asked again.
const panesFor = 10 * time.Second

// known are the panes of the tmux servers that were asked.
var known = &paneCache{servers: map[server]panesAt{}}

// paneCache is safe for concurrent use.
type paneCache struct {
	mu      sync.Mutex
	servers map[server]panesAt
}

type panesAt struct {
	at    time.Time
	panes []pane
}

// maxServers limits how many servers are remembered.
const maxServers = 16

// panes returns the panes of s; nil if it does not answer.
func (c *paneCache) panes(ctx context.Context, s server) []pane {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok := c.servers[s]; ok && time.Since(k.at) < panesFor {
		return k.panes
	}
	out, err := s.run(ctx, "list-panes", "-a", "-F", paneFormat)
	var panes []pane
	if err == nil {
		panes = parsePanes(out)
	}
	if len(c.servers) >= maxServers {
		clear(c.servers)
	}
	c.servers[s] = panesAt{time.Now(), panes}
	return panes
}
