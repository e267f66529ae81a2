package pcap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
)

// packetsIn returns how many packets a pcapng file has, and whether one contains text.
func packetsIn(t *testing.T, m *Memory, text string) (n int, found bool) {
	t.Helper()
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	f, err := capture.OpenFile(bufio.NewReader(&out))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := f.Next()
		if errors.Is(err, io.EOF) {
			return n, found
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		found = found || bytes.Contains(p.IP, []byte(text))
	}
}

// record writes 3000 segments of 1 KB to m.
func record(t *testing.T, m *Memory) {
	t.Helper()
	w, err := New(m, Options{Interface: "tap of 3000"})
	if err != nil {
		t.Fatal(err)
	}
	s := w.Connections().Open(traffic.Conn{Client: netip.MustParseAddrPort("127.0.0.1:50000"), Server: netip.MustParseAddrPort("127.0.0.1:3000"), Opened: time.Now()})
	for i := range 3000 {
		s.Data(traffic.ToServer, time.Now(), []byte(strings.Repeat("x", 1000+i%7)+"end"))
	}
	s.Data(traffic.ToServer, time.Now(), []byte("newest"))
	if err := w.Close(capture.Stats{}); err != nil {
		t.Fatal(err)
	}
}

// The newest packets stay within the limit, and what is written is a whole file.
func TestMemoryKeepsTheNewestPackets(t *testing.T) {
	const limit = 2 << 20
	m := NewMemory(limit)
	record(t, m)
	if n := m.Size(); n > limit || n < limit-2*chunkSize {
		t.Errorf("kept %d bytes, want about %d", n, limit)
	}
	n, found := packetsIn(t, m, "newest")
	if n < 1500 || n > 5000 || !found {
		t.Errorf("got %d packets, with the newest: %v", n, found)
	}
	m.Clear()
	if n, _ := packetsIn(t, m, ""); n != 0 || m.Size() != 0 {
		t.Errorf("after Clear: got %d packets, %d bytes", n, m.Size())
	}
	m = NewMemory(limit)
	m.SetPaused(true)
	if record(t, m); m.Size() != 0 {
		t.Error("packets are kept while it is paused")
	}
}
