package decode_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/decode"
)

// relay records the connections to a server.
type relay struct {
	addr     string
	store    *traffic.Store
	recorder *traffic.Recorder
	listener net.Listener
	all      sync.WaitGroup
}

// newRelay forwards connections to the server at target.
func newRelay(t testing.TB, target string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	store := traffic.NewStore(traffic.Limits{})
	r := &relay{addr: l.Addr().String(), store: store, recorder: traffic.NewRecorder(store, decode.Protocols()), listener: l}
	r.all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			id := r.recorder.Open(traffic.Conn{Opened: time.Now()})
			r.all.Go(func() { r.forward(id, traffic.ToServer, server, client) })
			r.all.Go(func() { r.forward(id, traffic.ToClient, client, server) })
		}
	})
	return r
}

func (r *relay) forward(id traffic.ConnID, dir traffic.Direction, to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.recorder.Data(id, dir, time.Now(), buffer[:n])
		if n > 0 {
			to.Write(buffer[:n])
		}
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			r.recorder.Close(id, dir, time.Now(), err)
			to.(*net.TCPConn).CloseWrite()
			return
		}
	}
}

// stop waits for the connections to end and returns what was recorded.
func (r *relay) stop() []*traffic.Exchange {
	r.listener.Close()
	r.all.Wait()
	r.recorder.Shutdown()
	return r.store.List()
}
