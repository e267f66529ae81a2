package tap

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/traffictest"
	"porthole/monitor/process/child"
)

func init() {
	roles["few files"], roles["echo"], roles["crowd"] = playFewFiles, playEcho, playCrowd
}

// crowd is how many connections TestManyConnections opens.
const crowd = 10_000

// playEcho echoes with a goroutine and two descriptors for each connection, unlike
// io.Copy, which opens a pipe too.
func playEcho() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		child.Fail(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 16)
				for {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					_, _ = c.Write(b[:n])
				}
			}()
		}
	}()
	child.Report(ln.Addr().(*net.TCPAddr).Port)
	child.Wait()
}

// playCrowd opens connections to the address in its first argument, as many as the second
// says, sends a byte on each, and reads the answers of as many as the third says while
// all are open, then the others. It reports what went wrong.
func playCrowd() {
	conns, err := strconv.Atoi(os.Args[2])
	if err != nil {
		child.Fail(err)
	}
	together, err := strconv.Atoi(os.Args[3])
	if err != nil {
		child.Fail(err)
	}
	child.Report(fmt.Sprint(gather(os.Args[1], conns, together)))
	child.Wait()
}

func gather(address string, conns, together int) error {
	open := make([]net.Conn, conns)
	for i := range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			return err
		}
		open[i] = c
	}
	read := func(from, to int) error {
		for i, c := range open[from:to] {
			var b [1]byte
			if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != byte(from+i) {
				return fmt.Errorf("connection %d: got %d, %w", from+i, b[0], err)
			}
		}
		return nil
	}
	if err := read(0, together); err != nil {
		return err
	}
	for _, c := range open[:together] {
		_ = c.Close()
	}
	return read(together, conns)
}

// Ten thousand clients connect. As many as the limit of open files allows are served at
// the same time, the others as soon as some have ended.
func TestManyConnections(t *testing.T) {
	var port int
	child.Begin(t, "echo", &port)
	r := &traffictest.Records{}
	address, tp, _ := start(t, Target{Port: uint16(port)}, r)
	together := min(cap(tp.slots), crowd) - 10
	var result string
	clients := child.Start(t, child.Command("crowd", address, strconv.Itoa(crowd), strconv.Itoa(together)))
	if err := clients.ReadReport(&result); err != nil || result != "<nil>" {
		t.Errorf("with %d of %d connections at the same time: %s, %v", together, crowd, result, err)
	}
	r.Ended(t, crowd)
}

// playFewFiles serves a tap to the port in its argument with a low limit of open files,
// and prints its address, then each problem.
func playFewFiles() {
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 100, Max: 100}); err != nil {
		child.Fail(err)
	}
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	tp, err := Listen(netip.AddrPortFrom(v4, 0), Target{Port: uint16(port)}, ignore{}, func(err error) { fmt.Println("problem:", err) })
	if err != nil {
		child.Fail(err)
	}
	fmt.Println(tp.Addr())
	ctx, cancel := childContext()
	defer cancel()
	if err := tp.Serve(ctx); err != nil {
		child.Fail(err)
	}
}

// With few descriptors, connections beyond the limit wait until others end; the tap says
// so and goes on.
func TestFewFiles(t *testing.T) {
	target := serve(t, "127.0.0.1:0", echo)
	tap := child.Start(t, child.Command("few files", strconv.Itoa(int(target.Port))))
	address := tap.Line(t)
	const conns = 60
	results := make(chan error, conns)
	hold := make(chan struct{})
	for range conns {
		go func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				results <- err
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			<-hold
			_, _ = c.Write([]byte("x"))
			_, err = io.ReadFull(c, make([]byte, 1))
			results <- err
		}()
	}
	if line := tap.Line(t); !strings.Contains(line, "limit of open files") {
		t.Errorf("the tap reported %q, want the limit of open files", line)
	}
	close(hold)
	for range conns {
		if err := <-results; err != nil {
			t.Errorf("a connection failed: %v", err)
		}
	}
}

// A real accept error, EMFILE, does not end the tap.
func TestNoFilesLeft(t *testing.T) {
	if _, err := exec.LookPath("prlimit"); err != nil {
		t.Skip("prlimit is not installed (package util-linux)")
	}
	target := serve(t, "127.0.0.1:0", echo)
	tap := child.Start(t, child.Command("few files", strconv.Itoa(int(target.Port))))
	address := tap.Line(t)
	set := func(files int) {
		t.Helper()
		if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(tap.PID), fmt.Sprintf("--nofile=%d:100", files)).CombinedOutput(); err != nil {
			t.Fatalf("prlimit: %v: %s", err, out)
		}
	}
	set(3)
	c := dial(t, address)
	_, _ = c.Write([]byte("x"))
	if line := tap.Line(t); !strings.Contains(line, "too many open files") {
		t.Errorf("the tap reported %q, want too many open files", line)
	}
	set(100)
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Errorf("after descriptors were free: %v", err)
	}
}

// childContext ends at the end of the child's input.
func childContext() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		child.Wait()
		cancel()
	}()
	return ctx, cancel
}
