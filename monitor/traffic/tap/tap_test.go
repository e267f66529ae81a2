package tap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/internal/traffictest"
	"porthole/monitor/process/child"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/source"
)

func TestMain(m *testing.M) {
	child.Main(m, roles)
}

// roles are the children of the tests; other files add some.
var roles = map[string]func(){"client": playClient}

var v4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// ignore is a Recorder that records nothing.
type ignore struct{}

func (ignore) Open(traffic.Conn) source.Stream           { return ignore{} }
func (ignore) Identify(traffic.Process)                  {}
func (ignore) Data(traffic.Direction, time.Time, []byte) {}
func (ignore) Lost(traffic.Direction, time.Time, int64)  {}
func (ignore) Close(traffic.Direction, time.Time, error) {}

// start serves a tap on a free port until the test ends, when it must have ended without
// an error. end ends it before.
func start(t testing.TB, target Target, r source.Recorder) (address string, tp *Tap, end func()) {
	t.Helper()
	tp, err := Listen(netip.AddrPortFrom(v4, 0), target, r, func(err error) { t.Log("problem:", err) })
	if err != nil {
		t.Fatal(err)
	}
	tp.grace = 200 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tp.Serve(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(end)
	return tp.Addr().String(), tp, end
}

// serve calls handle for each connection to a server until the test ends.
func serve(t *testing.T, address string, handle func(*net.TCPConn)) Target {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		if strings.HasPrefix(address, "[") {
			t.Skip("this machine has no IPv6: ", err)
		}
		t.Fatal(err)
	}
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			handlers.Go(func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); handlers.Wait() })
	return Target{Port: ln.Addr().(*net.TCPAddr).AddrPort().Port()}
}

func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
}

func dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*net.TCPConn)
}

// corpus returns random bytes in chunks of random sizes.
func corpus(seed uint64) (chunks [][]byte, all []byte) {
	random, contents := rand.New(rand.NewPCG(seed, 1)), rand.NewChaCha8([32]byte{byte(seed)})
	for range 1 + random.IntN(200) {
		size := random.IntN(1 << (1 + random.IntN(18)))
		b := make([]byte, size)
		_, _ = contents.Read(b) // never fails
		chunks = append(chunks, b)
		all = append(all, b...)
	}
	return chunks, all
}

// Random bytes pass both ways at the same time, and are recorded, byte for byte; over
// IPv4 and IPv6.
func TestByteForByte(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(host, func(t *testing.T) {
			const conns = 8
			target := serve(t, host, func(c *net.TCPConn) { // answers with other bytes while it reads
				var head [1]byte
				if _, err := io.ReadFull(c, head[:]); err != nil {
					return
				}
				var both sync.WaitGroup
				both.Go(func() {
					chunks, _ := corpus(1000 + uint64(head[0]))
					for _, b := range chunks {
						_, _ = c.Write(b)
					}
				})
				sum := sha256.New()
				_, _ = io.Copy(sum, c)
				both.Wait()
				_, _ = c.Write(sum.Sum(nil)) // after the client's half-close
				_ = c.CloseWrite()
			})
			var r traffictest.Records
			address, _, _ := start(t, target, &r)
			var clients sync.WaitGroup
			for n := range conns {
				clients.Go(func() {
					c, err := net.Dial("tcp", address)
					if err != nil {
						t.Error(err)
						return
					}
					defer c.Close()
					chunks, sent := corpus(uint64(n))
					go func() {
						_, _ = c.Write([]byte{byte(n)})
						for _, b := range chunks {
							_, _ = c.Write(b)
						}
						_ = c.(*net.TCPConn).CloseWrite()
					}()
					_, want := corpus(1000 + uint64(n))
					sum := sha256.Sum256(sent)
					want = append(want, sum[:]...)
					got, err := io.ReadAll(c)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("connection %d: got %d bytes, %v; want %d bytes and no error", n, len(got), err, len(want))
					}
				})
			}
			clients.Wait()
			for _, c := range r.Ended(t, conns) {
				n := c.Sent[traffic.ToServer][0]
				_, sent := corpus(uint64(n))
				_, answer := corpus(1000 + uint64(n))
				sum := sha256.Sum256(sent)
				if !bytes.Equal(c.Sent[traffic.ToServer][1:], sent) || !bytes.Equal(c.Sent[traffic.ToClient], append(answer, sum[:]...)) {
					t.Errorf("connection %d was not recorded byte for byte", n)
				}
				if c.Errs != [2]error{} {
					t.Errorf("connection %d: recorded the errors %v, want none", n, c.Errs)
				}
				if got := c.Conn.Server.Port(); got != target.Port {
					t.Errorf("connection %d: recorded the server port %d, want %d", n, got, target.Port)
				}
			}
		})
	}
}

// A reset of the client reaches the server as a reset, and the other way round.
func TestResets(t *testing.T) {
	result := make(chan error, 1)
	target := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
		var b [1]byte
		if _, err := io.ReadFull(c, b[:]); err != nil {
			result <- err
			return
		}
		if b[0] == 'r' {
			_, _ = c.Write([]byte("partial"))
			_ = c.SetLinger(0)
			return // closes with a reset
		}
		_, _ = c.Write([]byte("ok"))
		_, err := c.Read(b[:])
		result <- err
	})
	var r traffictest.Records
	address, _, _ := start(t, target, &r)

	c := dial(t, address)
	_, _ = c.Write([]byte("c"))
	if got, err := io.ReadAll(io.LimitReader(c, 2)); string(got) != "ok" {
		t.Fatalf("got %q, %v", got, err)
	}
	_ = c.SetLinger(0)
	_ = c.Close()
	if err := <-result; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset of the client the server got %v, want ECONNRESET", err)
	}

	c = dial(t, address)
	_, _ = c.Write([]byte("r"))
	if got, err := io.ReadAll(c); string(got) != "partial" && len(got) > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset of the server the client got %q, %v; want ECONNRESET", got, err)
	}
	for i, rec := range r.Ended(t, 2) {
		if rec.Errs[0] == nil || rec.Errs[1] == nil {
			t.Errorf("connection %d: recorded %v, want an error in both directions", i, rec.Errs)
		}
	}
}

// A client that ends with FIN may still read; a server that closes while the client
// sends resets it, as it does without a tap.
func TestCloseWhileClientSends(t *testing.T) {
	target := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 1000))
		_, _ = c.Write([]byte("HTTP/1.1 413 Content Too Large\r\n\r\n"))
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 100_000)) // then closes with unread bytes
	})
	var r traffictest.Records
	address, _, _ := start(t, target, &r)
	c := dial(t, address)
	sent := make(chan error, 1)
	go func() {
		b := make([]byte, 64<<10)
		for {
			if _, err := c.Write(b); err != nil {
				sent <- err
				return
			}
		}
	}()
	b := make([]byte, 100)
	n, err := io.ReadAtLeast(c, b, 20)
	if !strings.HasPrefix(string(b[:n]), "HTTP/1.1 413") {
		t.Errorf("got %q, %v; want the answer", b[:n], err)
	}
	if err := <-sent; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the client's writes end with %v, want ECONNRESET or EPIPE", err)
	}
	r.Ended(t, 1)
}

// The tap reads no faster than the server.
func TestBackPressure(t *testing.T) {
	release := make(chan struct{})
	total := make(chan int64, 1)
	target := serve(t, "127.0.0.1:0", func(c *net.TCPConn) {
		<-release
		n, _ := io.Copy(io.Discard, c)
		total <- n
	})
	var r traffictest.Records
	address, _, _ := start(t, target, &r)
	c := dial(t, address)
	const size = 256 << 20
	var sent int64
	b := make([]byte, 1<<20)
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	for sent < size {
		n, err := c.Write(b)
		sent += int64(n)
		if err != nil {
			break
		}
	}
	if sent >= size/2 {
		t.Errorf("the client could send %d bytes to a server that reads none", sent)
	}
	close(release)
	_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
	_ = c.CloseWrite()
	if got := <-total; got != sent {
		t.Errorf("the server got %d bytes, want %d", got, sent)
	}
}

// Without a server, clients get a reset and the recorder the reason. When the server
// starts, even at the other address, connections reach it.
func TestServerRestarts(t *testing.T) {
	port := freeport.Get(t)
	var r traffictest.Records
	address, _, _ := start(t, Target{Port: uint16(port)}, &r)
	refused, err := net.Dial("tcp", address) // the reset may come before it returns
	if err == nil {
		_, err = io.ReadAll(refused)
		_ = refused.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("without a server: got %v, want ECONNRESET", err)
	}
	if rec := r.Ended(t, 1)[0]; !errors.Is(rec.Errs[0], syscall.ECONNREFUSED) {
		t.Errorf("recorded %v, want ECONNREFUSED", rec.Errs)
	}
	for _, host := range []string{"[::1]", "127.0.0.1", "[::1]"} {
		ln, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, port))
		if err != nil {
			t.Skip("cannot listen: ", err)
		}
		go func() {
			c, err := ln.Accept()
			if err == nil {
				echo(c.(*net.TCPConn))
				_ = c.Close()
			}
		}()
		c := dial(t, address)
		_, _ = c.Write([]byte("hello"))
		_ = c.CloseWrite()
		if got, err := io.ReadAll(c); string(got) != "hello" {
			t.Errorf("server on %s: got %q, %v", host, got, err)
		}
		_ = ln.Close()
	}
}

// When a tap ends, connections may finish for a while; then they are reset.
func TestEnd(t *testing.T) {
	target := serve(t, "127.0.0.1:0", echo)
	var r traffictest.Records
	address, tp, end := start(t, target, &r)
	tp.grace = 2 * time.Second
	finishes, lasts := dial(t, address), dial(t, address)
	for _, c := range []*net.TCPConn{finishes, lasts} {
		_, _ = c.Write([]byte("a"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() { end(); close(ended) }()
	await.Until(t, "the tap does not listen any more", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	_, _ = finishes.Write([]byte("b"))
	_ = finishes.CloseWrite()
	if got, err := io.ReadAll(finishes); string(got) != "b" || err != nil {
		t.Errorf("the connection that finishes: got %q, %v", got, err)
	}
	if _, err := io.ReadAll(lasts); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection that lasts: got %v, want ECONNRESET", err)
	}
	<-ended
}

func TestTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := Listen(ln.Addr().(*net.TCPAddr).AddrPort(), Target{Port: 1}, &traffictest.Records{}, nil); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want EADDRINUSE", err)
	}
}

// playClient connects to the address in its argument and says so.
func playClient() {
	c, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	_, _ = c.Write([]byte("hello"))
	fmt.Println("connected")
	child.Wait()
}

func TestClientIsNamed(t *testing.T) {
	target := serve(t, "127.0.0.1:0", echo)
	var r traffictest.Records
	address, _, _ := start(t, target, &r)
	client := child.Start(t, child.Command("client", address))
	client.Line(t)
	await.Until(t, "the client is named", func() bool {
		all := r.All()
		return len(all) == 1 && all[0].Client.PID == client.PID
	})
}

// A tap takes a free port where its own is taken, also on systems that say so differently.
func TestListenOrFree(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	wanted := ln.Addr().(*net.TCPAddr).AddrPort()
	for _, free := range []bool{false, true} {
		if free {
			_ = ln.Close()
		}
		tp, taken, err := ListenOrFree(wanted, Target{Port: 1}, ignore{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if taken == free || (tp.Addr() == wanted) != free {
			t.Errorf("free %v: got the address %v of %v, taken %v", free, tp.Addr(), wanted, taken)
		}
		_ = tp.listener.Close()
	}
	if _, _, err := ListenOrFree(netip.MustParseAddrPort("192.0.2.1:1"), Target{Port: 1}, ignore{}, nil); err == nil || IsTaken(err) {
		t.Errorf("an address of another machine: got %v, want an error", err)
	}
	for _, number := range []syscall.Errno{syscall.EADDRINUSE, 10048, 10013} {
		if err := fmt.Errorf("listen: %w", os.NewSyscallError("bind", number)); !IsTaken(err) {
			t.Errorf("IsTaken(%d) = false, want true", number)
		}
	}
}
