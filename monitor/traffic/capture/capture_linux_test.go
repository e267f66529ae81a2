package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/await"
	"porthole/internal/namespaces"
	"porthole/internal/traffictest"
	"porthole/monitor/process/child"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

func TestMain(m *testing.M) { child.Main(m, map[string]func(){"open": playOpen}) }

// capture captures until the test ends.
func capture(t *testing.T, o Options, r source.Recorder, packet func(Packet)) (c *Capture, end func() error) {
	t.Helper()
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Skip("cannot capture here: ", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, r, packet) }()
	end = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = end() })
	return c, end
}

// server calls handle with each connection until the test ends.
func server(t *testing.T, address string, handle func(*net.TCPConn)) (string, uint16) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			}()
		}
	}()
	return ln.Addr().String(), ln.Addr().(*net.TCPAddr).AddrPort().Port()
}

func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
	_ = c.CloseWrite()
}

// exchange sends bytes to an echo server and checks what comes back.
func exchange(t *testing.T, address string, b []byte) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = c.Write(b)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, b) {
		t.Fatalf("got %d bytes, %v; want %d", len(got), err, len(b))
	}
}

func random(size int) []byte {
	b := make([]byte, size)
	r := rand.New(rand.NewPCG(uint64(size), 3))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Large and small segments arrive byte for byte, each once; those of other ports do not
// arrive.
func TestByteForByte(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	asRoot := filepath.Join(t.TempDir(), "pkexec") // stands for pkexec(1)
	if err := os.WriteFile(asRoot, []byte("#!/bin/sh\nexec \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	programs := map[string][]string{"socket": nil, "dumpcap": {"dumpcap"}, "tcpdump": {"tcpdump"}, "pkexec": {asRoot, "tcpdump"}}
	for name, program := range programs {
		t.Run(name, func(t *testing.T) {
			if n := len(program); n > 0 {
				if _, err := exec.LookPath(program[n-1]); err != nil {
					t.Skip(program[n-1], " is not installed")
				}
			}
			for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
				address, port := server(t, host, echo)
				other, _ := server(t, host, echo)
				var r traffictest.Records
				c, end := capture(t, Options{Port: port, Program: program}, &r, nil)
				time.Sleep(100 * time.Millisecond) // of tcpdump and dumpcap, which begin a moment after the header of their file
				bodies := [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n"), random(3 << 20), {1}}
				for _, b := range bodies {
					exchange(t, address, b)
					exchange(t, other, b)
				}
				for i, rec := range r.Ended(t, len(bodies)) {
					if !bytes.Equal(rec.Sent[traffic.ToServer], bodies[i]) || !bytes.Equal(rec.Sent[traffic.ToClient], bodies[i]) || rec.Missing != [2]int64{} {
						t.Errorf("connection %d: got %d and %d bytes (lost %v), want %d both ways", i, len(rec.Sent[0]), len(rec.Sent[1]), rec.Missing, len(bodies[i]))
					}
					if rec.Conn.Partial || rec.Conn.Server.Port() != port || rec.Errs != [2]error{} {
						t.Errorf("connection %d: got %+v, errors %v", i, rec.Conn, rec.Errs)
					}
				}
				if err := end(); err != nil {
					t.Error(err)
				}
				if len(r.All()) != len(bodies) {
					t.Errorf("got %d connections, want %d", len(r.All()), len(bodies))
				}
				if s := c.Stats(); s.Packets == 0 || s.Dropped != 0 {
					t.Errorf("got %+v, want packets and nothing dropped", s)
				}
			}
		})
	}
}

// A connection that was open before is partial; a reset ends both directions with an
// error; a refused connection is one, too.
func TestPartialAndReset(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	address, port := server(t, "127.0.0.1:0", echo)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	say := func(s string) {
		t.Helper()
		_, _ = io.WriteString(c, s)
		if _, err := io.ReadFull(c, make([]byte, len(s))); err != nil {
			t.Fatal(err)
		}
	}
	say("before")
	var r traffictest.Records
	_, end := capture(t, Options{Port: port}, &r, nil)
	say("after")
	say("more")
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	rec := r.Ended(t, 1)[0]
	if !rec.Conn.Partial || string(rec.Sent[traffic.ToServer]) != "aftermore" || string(rec.Sent[traffic.ToClient]) != "aftermore" {
		t.Errorf("got %+v with %q and %q, want a partial connection with what came after", rec.Conn, rec.Sent[0], rec.Sent[1])
	}
	if rec.Errs[0] == nil || rec.Errs[1] == nil {
		t.Errorf("got the errors %v, want resets", rec.Errs)
	}
	if err := end(); err != nil {
		t.Error(err)
	}

	var refused traffictest.Records
	_, _ = capture(t, Options{Port: 9}, &refused, nil)
	if _, err := net.Dial("tcp", "127.0.0.1:9"); err == nil {
		t.Fatal("something listens on port 9")
	}
	if rec := refused.Ended(t, 1)[0]; rec.Errs[0] == nil || rec.Conn.Server.Port() != 9 {
		t.Errorf("a refused connection: got %+v, %v", rec.Conn, rec.Errs)
	}
}

// Whatever the kernel has to drop is said: by its counter, and as lost bytes of streams.
func TestDropsAreSaid(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	address, port := server(t, "127.0.0.1:0", func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	var r traffictest.Records
	hold, reached := make(chan struct{}), make(chan struct{})
	first := true
	c, _ := capture(t, Options{Port: port}, &r, func(Packet) {
		if first { // this process is too slow: the ring of 32 MB fills
			first = false
			close(reached)
			<-hold
		}
	})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	<-reached
	const size = 128 << 20
	_, _ = conn.Write(make([]byte, size))
	close(hold)
	time.Sleep(2 * patience) // the gap is given up
	_, _ = conn.Write([]byte("end"))
	_ = conn.(*net.TCPConn).SetLinger(-1)
	_ = conn.Close()
	var rec traffictest.Record
	await.Until(t, "all bytes are accounted for", func() bool {
		all := r.All()
		if len(all) == 0 {
			return false
		}
		rec = all[0]
		return int64(len(rec.Sent[traffic.ToServer]))+rec.Missing[traffic.ToServer] == size+3
	}, func() any { return fmt.Sprint(len(r.All()), len(rec.Sent[0]), rec.Missing) })
	if rec.Missing[traffic.ToServer] == 0 || c.Stats().Dropped == 0 {
		t.Errorf("got %d lost bytes and %+v, want both", rec.Missing[traffic.ToServer], c.Stats())
	}
	if !strings.HasSuffix(string(rec.Sent[traffic.ToServer]), "end") {
		t.Error("what came after the gap is missing")
	}
}

// playOpen opens a capture and reports the error.
func playOpen() {
	_, err := Open(context.Background(), Options{Port: 3000})
	child.Report(fmt.Sprint(errors.Is(err, ErrNotAllowed), err))
	child.Wait()
}

// Without privileges and programs, the error says that this user may not capture.
func TestNotAllowed(t *testing.T) {
	var got string
	child.Begin(t, "open", &got, func(c *exec.Cmd) {
		c.Env = append(c.Env, "PATH=/nonexistent")
		if os.Getuid() == 0 {
			child.AsNobody(c)
		}
	})
	if !strings.HasPrefix(got, "true this user may not capture packets: ") {
		t.Errorf("got %q, want ErrNotAllowed", got)
	}
}

// A program that ends, or is killed, ends the capture with the reason.
func TestProgramEnds(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	for _, name := range []string{"tcpdump", "dumpcap"} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(name, " is not installed")
			}
			c, err := Open(t.Context(), Options{Port: 3000, Program: []string{name}})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- c.Run(t.Context(), &traffictest.Records{}, nil) }()
			if err := c.handle.(*program).cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err == nil || !strings.Contains(err.Error(), "killed") {
				t.Errorf("got %v, want that %s was killed", err, name)
			}
			if _, err := Open(t.Context(), Options{Port: 3000, Interface: "nosuch0", Program: []string{name}}); err == nil || !strings.Contains(err.Error(), "nosuch0") {
				t.Errorf("an unknown interface: got %v, want an error that names it", err)
			}
		})
	}
	if _, err := Open(t.Context(), Options{Port: 3000, Interface: "nosuch0"}); err == nil || !strings.Contains(err.Error(), "nosuch0") {
		t.Errorf("an unknown interface: got %v, want an error that names it", err)
	}
}
