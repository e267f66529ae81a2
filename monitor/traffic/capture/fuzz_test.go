package capture

import (
	"bufio"
	"bytes"
	"testing"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// discard is a Recorder that records nothing.
type discard struct{}

func (discard) Open(traffic.Conn) source.Stream           { return discard{} }
func (discard) Identify(traffic.Process)                  {}
func (discard) Data(traffic.Direction, time.Time, []byte) {}
func (discard) Lost(traffic.Direction, time.Time, int64)  {}
func (discard) Close(traffic.Direction, time.Time, error) {}

// FuzzFile reads files that may be damaged.
func FuzzFile(f *testing.F) {
	f.Add([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x65\x00\x00\x00"))
	f.Add([]byte("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := OpenFile(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		a := NewAssembler(discard{}, 0, nil)
		for {
			p, err := file.Next()
			if err != nil {
				break
			}
			a.Add(p)
		}
		a.Close()
	})
}

// FuzzPackets assembles packets that may be damaged.
func FuzzPackets(f *testing.F) {
	f.Add([]byte("\x45\x00\x00\x28\x00\x00\x00\x00\x40\x06\x00\x00\x7f\x00\x00\x01\x7f\x00\x00\x01\x0b\xb8\x04\x00\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\x00\x00\x00\x00\x00\x00"), byte(40))
	f.Fuzz(func(t *testing.T, b []byte, size byte) {
		a := NewAssembler(discard{}, 3000, nil)
		for len(b) > 0 {
			n := min(max(int(size), 20), len(b))
			a.Add(Packet{At: time.Unix(1, 0), IP: b[:n], Length: n})
			b = b[n:]
		}
		a.Flush(time.Now())
		a.Close()
	})
}
