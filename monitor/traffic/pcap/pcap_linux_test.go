package pcap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/capture"
	"porthole/monitor/traffic/source"
	"porthole/monitor/traffic/tap"
)

// run runs a program that reads the file, and returns its output. What it writes to stderr
// is a complaint.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(name, " is not installed (package tshark)")
	}
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	complaints := strings.TrimSpace(strings.ReplaceAll(stderr.String(), "Running as user \"root\" and group \"root\". This could be dangerous.", ""))
	if err != nil || complaints != "" {
		t.Fatalf("%s %q: %v\n%s", name, args, err, complaints)
	}
	return string(out)
}

// file creates a file and a Writer to it. end closes the Writer.
func file(t *testing.T) (path string, w *Writer, end func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "traffic.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err = New(f, Options{Interface: "tap of 3000", Version: "test", Failed: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		if err := w.Close(capture.Stats{}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return path, w, end
}

// tshark and capinfos read the file of a tap without a complaint: proper handshakes,
// checksums and ends, every request and answer, and the client's name.
func TestTapAsTsharkSeesIt(t *testing.T) {
	body := strings.Repeat("0123456789", 20_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, body[:len(body)-len(r.URL.Path)])
	}))
	defer server.Close()
	port := server.Listener.Addr().(*net.TCPAddr).AddrPort().Port()
	path, w, end := file(t)
	tp, err := tap.Listen(netip.MustParseAddrPort("127.0.0.1:0"), tap.Target{Port: port}, w.Connections(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- tp.Serve(ctx) }()
	client := &http.Client{Transport: &http.Transport{}}
	const requests = 20
	for i := range requests {
		resp, err := client.Post(fmt.Sprintf("http://%s/%d", tp.Addr(), i), "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if i == requests/2 {
			time.Sleep(300 * time.Millisecond) // the client is found in this time
		}
	}
	client.CloseIdleConnections()
	cancel()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	end()

	run(t, "capinfos", path)
	decode := []string{"-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-d", fmt.Sprintf("tcp.port==%d,http", port)}
	uris := run(t, "tshark", append(decode, "-Y", "http.request", "-T", "fields", "-e", "http.request.method", "-e", "http.request.uri")...)
	want := ""
	for i := range requests {
		want += fmt.Sprintf("POST\t/%d\n", i)
	}
	if uris != want {
		t.Errorf("tshark sees the requests\n%swant\n%s", uris, want)
	}
	if answers := run(t, "tshark", append(decode, "-Y", "http.response.code==200", "-T", "fields", "-e", "http.content_length_header")...); strings.Count(answers, "\n") != requests {
		t.Errorf("tshark sees the answers\n%s", answers)
	}
	if bad := run(t, "tshark", append(decode, "-Y", "tcp.analysis.flags || tcp.checksum.status==0 || ip.checksum.status==0 || _ws.malformed || tcp.connection.rst")...); bad != "" {
		t.Errorf("tshark complains about\n%s", bad)
	}
	if ends := run(t, "tshark", append(decode, "-Y", "tcp.flags.fin==1 || tcp.flags.syn==1", "-T", "fields", "-e", "tcp.flags.str")...); strings.Count(ends, "S") != 2 || strings.Count(ends, "F") != 2 {
		t.Errorf("got the flags\n%swant two SYN and two FIN", ends)
	}
	if comments := run(t, "tshark", append(decode, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment")...); !strings.Contains(comments, "(PID "+strconv.Itoa(os.Getpid())+")") {
		t.Errorf("got the comments %q, want this process", comments)
	}
}

// tshark and capinfos read what a Memory has kept, whose oldest packets are gone, and see as many
// packets as Porthole.
func TestMemoryAsTsharkSeesIt(t *testing.T) {
	m := NewMemory(1 << 20)
	record(t, m)
	path := filepath.Join(t.TempDir(), "newest.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.WriteTo(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	run(t, "capinfos", path)
	frames := run(t, "tshark", "-r", path, "-T", "fields", "-e", "frame.number")
	if want, _ := packetsIn(t, m, ""); strings.Count(frames, "\n") != want || want == 0 {
		t.Errorf("tshark sees %d packets, want %d", strings.Count(frames, "\n"), want)
	}
	if last := run(t, "tshark", "-r", path, "-Y", `tcp.payload contains "newest"`, "-T", "fields", "-e", "frame.number"); last == "" {
		t.Error("tshark does not see the newest packet")
	}
	if bad := run(t, "tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status==0 || _ws.malformed"); bad != "" {
		t.Errorf("tshark complains about\n%s", bad)
	}
}

// collected is a Recorder that keeps the bytes of one connection.
type collected struct {
	mu   sync.Mutex
	conn traffic.Conn
	data [2][]byte
	errs [2]error
}

func (c *collected) Open(conn traffic.Conn) source.Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	return c
}
func (c *collected) Identify(traffic.Process) {}
func (c *collected) Data(d traffic.Direction, _ time.Time, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data[d] = append(c.data[d], p...)
}
func (c *collected) Lost(d traffic.Direction, _ time.Time, n int64)    {}
func (c *collected) Close(d traffic.Direction, _ time.Time, err error) { c.errs[d] = err }

// What is written is read again: over IPv4, IPv6 and both, also if the directions were
// reported in the wrong order; a reset stays one.
func TestRoundTrip(t *testing.T) {
	for _, ends := range [][2]string{{"127.0.0.1:40000", "127.0.0.1:3000"}, {"[::1]:40000", "[::1]:3000"}, {"127.0.0.1:40000", "[::1]:3000"}} {
		path, w, end := file(t)
		now := time.Now()
		s := w.Connections().Open(traffic.Conn{Client: netip.MustParseAddrPort(ends[0]), Server: netip.MustParseAddrPort(ends[1]), Opened: now})
		big := bytes.Repeat([]byte("x"), 100_000)
		s.Data(traffic.ToClient, now.Add(2*time.Millisecond), []byte("answer"))
		s.Data(traffic.ToServer, now.Add(time.Millisecond), big)
		s.Close(traffic.ToServer, now.Add(3*time.Millisecond), nil)
		s.Close(traffic.ToClient, now.Add(4*time.Millisecond), errors.New("reset"))
		refused := w.Connections().Open(traffic.Conn{Client: netip.MustParseAddrPort(ends[0]), Server: netip.MustParseAddrPort(ends[1]), Opened: now.Add(5 * time.Millisecond)})
		refused.Close(traffic.ToServer, now.Add(5*time.Millisecond), syscall.ECONNREFUSED)
		refused.Close(traffic.ToClient, now.Add(5*time.Millisecond), syscall.ECONNREFUSED)
		end()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in, err := capture.OpenFile(bufio.NewReader(f))
		if err != nil {
			t.Fatal(err)
		}
		var got collected
		conns := 0
		a := capture.NewAssembler(&got, 0, func(netip.AddrPort, source.Stream) { conns++ })
		for {
			p, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			a.Add(p)
			if conns > 1 {
				break
			}
		}
		a.Close()
		if conns != 2 || !bytes.Equal(got.data[traffic.ToServer], big) || string(got.data[traffic.ToClient]) != "answer" || got.errs[traffic.ToClient] == nil {
			t.Errorf("%v: got %d connections, %d bytes and %q, errors %v", ends, conns, len(got.data[0]), got.data[1], got.errs)
		}
	}
}

// A full disk is reported once, and the recorder goes on.
func TestDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	if _, err := New(full, Options{}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("at the beginning: got %v, want ENOSPC", err)
	}
	failures := make(chan error, 10)
	w, err := New(&filling{room: 4096}, Options{Failed: func(err error) { failures <- err }})
	if err != nil {
		t.Fatal(err)
	}
	s := w.Connections().Open(traffic.Conn{Client: netip.MustParseAddrPort("127.0.0.1:4"), Server: netip.MustParseAddrPort("127.0.0.1:5")})
	for range 100 {
		s.Data(traffic.ToServer, time.Now().Add(-time.Second), make([]byte, 1000))
	}
	if err := <-failures; !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
	s.Data(traffic.ToServer, time.Now(), make([]byte, 1000))
	if err := w.Close(capture.Stats{}); !errors.Is(err, syscall.ENOSPC) || len(failures) > 0 {
		t.Errorf("Close: got %v and %d more reports, want ENOSPC and none", err, len(failures))
	}
}

// filling is a disk with room for some bytes.
type filling struct{ room int }

func (f *filling) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}
func (*filling) Close() error { return nil }
