package traffictest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/monitor/traffic"
)

// Piece is what one side sends.
type Piece struct {
	Dir   traffic.Direction
	Bytes []byte
}

// conversation is a connection whose contents a test gives.
type conversation struct {
	store    *traffic.Store
	recorder *traffic.Recorder
	id       traffic.ConnID
	at       time.Time
}

// converse begins a connection that protocol, or the decoder for text, decodes.
func converse(protocol traffic.Protocol) *conversation {
	c := &conversation{store: traffic.NewStore(traffic.Limits{}), at: time.Unix(1000, 0)}
	c.recorder = traffic.NewRecorder(c.store, []traffic.Protocol{protocol})
	c.id = c.recorder.Open(traffic.Conn{})
	return c
}

// say sends bytes, a millisecond after those before.
func (c *conversation) say(dir traffic.Direction, b []byte) {
	c.at = c.at.Add(time.Millisecond)
	c.recorder.Data(c.id, dir, c.at, b)
}

// end closes both sides, the server's for a reason, and returns what was decoded.
func (c *conversation) end(reason error) []*traffic.Exchange {
	c.recorder.Close(c.id, traffic.ToServer, c.at, nil)
	c.recorder.Close(c.id, traffic.ToClient, c.at, reason)
	c.recorder.Shutdown()
	return c.store.List()
}

// Decode returns what protocol decodes of a connection. size is how many bytes arrive
// together; 0 is for whole pieces.
func Decode(protocol traffic.Protocol, size int, pieces ...Piece) []*traffic.Exchange {
	c := converse(protocol)
	for _, p := range pieces {
		n := size
		if n == 0 {
			n = max(len(p.Bytes), 1)
		}
		for b := range slices.Chunk(p.Bytes, n) {
			c.say(p.Dir, b)
		}
	}
	return c.end(nil)
}

// Fuzz decodes what both sides send, mixed and cut at random by seed. It fails if the decoder
// panics, or if an exchange does not end.
func Fuzz(t *testing.T, protocol traffic.Protocol, client, server []byte, seed uint64) {
	t.Helper()
	c := converse(protocol)
	random := rand.New(rand.NewPCG(seed, 0))
	for len(client) > 0 || len(server) > 0 {
		side, dir := &client, traffic.ToServer
		if len(client) == 0 || len(server) > 0 && random.IntN(2) == 0 {
			side, dir = &server, traffic.ToClient
		}
		n := 1 + random.IntN(len(*side))
		c.say(dir, (*side)[:n])
		*side = (*side)[n:]
	}
	for _, e := range c.end(errors.New("reset")) {
		if strings.Contains(e.Problem, "could not decode") {
			t.Errorf("the decoder panicked: %s", e.Problem)
		}
		if e.Ended.IsZero() {
			t.Errorf("an exchange never ended: %s %s", e.Method, e.Path)
		}
		traffic.Masked(e)
	}
}
