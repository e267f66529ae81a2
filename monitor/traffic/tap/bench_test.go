package tap

import (
	"io"
	"net"
	"testing"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

// BenchmarkBulk forwards bytes of one connection, with and without the decoder.
func BenchmarkBulk(b *testing.B) {
	recorder := traffic.NewRecorder(traffic.NewStore(traffic.Limits{}), nil)
	defer recorder.Shutdown()
	for name, r := range map[string]source.Recorder{"nothing": ignore{}, "decoder": source.To(recorder)} {
		b.Run(name, func(b *testing.B) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer ln.Close()
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				p := make([]byte, 256<<10)
				for i := range p {
					p[i] = "0123456789abcde\n"[i%16]
				}
				for {
					if _, err := c.Write(p); err != nil {
						return
					}
				}
			}()
			address, _, end := start(b, Target{Port: ln.Addr().(*net.TCPAddr).AddrPort().Port()}, r)
			defer end()
			c := dial(b, address)
			defer c.Close()
			const size = 1 << 20
			b.SetBytes(size)
			p := make([]byte, size)
			for b.Loop() {
				if _, err := io.ReadFull(c, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
