package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor/process/child"
)

// output is what a command has written so far. It is safe for concurrent use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var tapAddress = regexp.MustCompile(`tap of \S+ on (\S+):`)

// tapped runs tap in this process until end is called, or the test ends.
func tapped(t *testing.T, o tapOptions, args ...string) (address string, out, stderr *output, end func()) {
	t.Helper()
	out, stderr = &output{}, &output{}
	o.Stdout, o.Stderr = out, stderr
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- runTap(ctx, args, o) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("tap %q: %v", args, err)
		}
	})
	t.Cleanup(end)
	await.Until(t, "the tap listens", func() bool {
		m := tapAddress.FindStringSubmatch(stderr.String())
		if m != nil {
			address = m[1]
		}
		return m != nil
	}, func() any { return stderr.String() })
	return address, out, stderr, end
}

// lines waits until a command has printed n lines, and returns them.
func lines(t *testing.T, out *output, n int) []string {
	t.Helper()
	await.Until(t, fmt.Sprintf("%d lines are printed", n), func() bool { return strings.Count(out.String(), "\n") >= n }, func() any { return out.String() })
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// client runs a program of the system and returns its output.
func client(t *testing.T, pkg, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (package %s)", name, pkg)
	}
	c := exec.CommandContext(t.Context(), path, args...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Logf("%s %q: %v: %s", name, args, err, out)
	}
	return string(out)
}

func TestTapPrintsOneLineForEachExchange(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	folder := t.TempDir()
	harFile, pcapFile := filepath.Join(folder, "t.har"), filepath.Join(folder, "t.pcapng")
	address, out, stderr, end := tapped(t, tapOptions{trafficOptions: trafficOptions{HAR: harFile, PCAP: pcapFile, Version: "test"}}, port, "-path:/hidden")
	get := func(path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer geheim123")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	get("/api?token=geheim123")
	get("/hidden")
	get("/no")
	got := lines(t, out, 2)
	for i, want := range []string{`^\d\d:\d\d:\d\d\.\d{3}  .{18}  200 .* GET /api\?token=•••$`, `  404 .* GET /no$`} {
		if !regexp.MustCompile(want).MatchString(got[i]) {
			t.Errorf("line %d: got %q, want %q", i, got[i], want)
		}
	}
	end()
	if !strings.Contains(stderr.String(), "passwords and tokens") {
		t.Errorf("stderr does not say that the packets have secrets: %q", stderr)
	}
	har, err := os.ReadFile(harFile)
	if err != nil || bytes.Contains(har, []byte("geheim123")) || bytes.Contains(har, []byte("/hidden")) || !bytes.Contains(har, []byte("/no")) {
		t.Errorf("the HAR file has a secret, or not what was selected: %v\n%s", err, har)
	}
	// Both files are printed again.
	for _, file := range []string{harFile, pcapFile} {
		var again, notes bytes.Buffer
		o := trafficOptions{Options: Options{Stdout: &again, Stderr: &notes, JSON: true}, Bodies: true}
		if err := runTraffic(t.Context(), nil, []string{file, "status:404"}, o); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var e exchangeJSON
		if err := json.Unmarshal(again.Bytes(), &e); err != nil || e.Code != 404 || e.Path != "/no" || e.Answer == nil || e.Answer.Body == nil || !strings.Contains(*e.Answer.Body, "404 page not found") {
			t.Errorf("%s: got %s, %v; want the request of /no", file, &again, err)
		}
		if strings.Contains(again.String(), "geheim123") {
			t.Errorf("%s: the output has a secret: %s", file, &again)
		}
	}
}

func TestTapRefusesBadInput(t *testing.T) {
	taken, port := listen(t, "127.0.0.1:0")
	defer taken.Close()
	for _, c := range []struct {
		args   []string
		o      tapOptions
		status int
		want   string
	}{
		{[]string{"shop"}, tapOptions{}, 2, "shop"},
		{[]string{"3000"}, tapOptions{Listen: "0.0.0.0:0"}, 2, "--expose"},
		{[]string{"3000"}, tapOptions{Listen: "nonsense"}, 2, "--listen"},
		{[]string{"3000"}, tapOptions{Listen: "3000"}, 2, "forwards to"},
		{[]string{"3000"}, tapOptions{Listen: port}, 1, "porthole who " + port},
		{[]string{"3000"}, tapOptions{Listen: "0", trafficOptions: trafficOptions{PCAP: "/nonexistent/x"}}, 1, "/nonexistent/x"},
	} {
		c.o.Stdout, c.o.Stderr = &output{}, &output{}
		err := runTap(t.Context(), c.args, c.o)
		if Status(err) != c.status || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("tap %q %+v: got %v, want status %d and %q", c.args, c.o.Listen, err, c.status, c.want)
		}
	}
	var out bytes.Buffer
	o := trafficOptions{Options: Options{Stdout: &out, Stderr: &out}}
	if err := runTraffic(t.Context(), strings.NewReader("text"), []string{"-"}, o); Status(err) != 2 {
		t.Errorf("a file of another format: got %v, want exit status 2", err)
	}
	if err := runTraffic(t.Context(), nil, []string{"/nonexistent/x"}, o); Status(err) != 2 {
		t.Errorf("no file: got %v, want exit status 2", err)
	}
}

// The first of the examples in the guide: which request crashes the server.
func TestExampleCrash(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil || req.URL.Path == "/report" {
					_ = c.(*net.TCPConn).SetLinger(0) // as the kernel does for a process that dies
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}()
		}
	}()
	address, out, _, _ := tapped(t, tapOptions{}, port, "status:error")
	client(t, "curl", "curl", "-s", "http://"+address+"/", "http://"+address+"/report")
	if got := lines(t, out, 1); len(got) != 1 || !strings.Contains(got[0], "GET /report ! ") {
		t.Errorf("got %q, want the request of /report alone", got)
	}
}

// The second: who polls the port.
func TestExamplePolling(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	address, out, _, _ := tapped(t, tapOptions{trafficOptions: trafficOptions{Options: Options{JSON: true}}}, port)
	poll := child.Start(t, child.Command("poll", "http://"+address+"/health"))
	for range 2 {
		poll.Line(t)
	}
	var e exchangeJSON
	await.Until(t, "the client is named", func() bool {
		for _, line := range strings.Split(out.String(), "\n") {
			if json.Unmarshal([]byte(line), &e) == nil && e.Client.PID == poll.PID {
				return true
			}
		}
		return false
	}, func() any { return out.String() })
	if e.Path != "/health" || e.Client.Name == "" {
		t.Errorf("got %+v, want requests of /health with the client's name", e)
	}
}

// playPoll gets the URL in its argument until its input ends, over one connection.
func playPoll() {
	ended := make(chan struct{})
	go func() { child.Wait(); close(ended) }()
	for {
		resp, err := http.Get(os.Args[1])
		if err != nil {
			child.Fail(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		fmt.Println("polled")
		select {
		case <-ended:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// playTap runs tap with the program's arguments after "tap".
func playTap() {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { child.Wait(); cancel() }()
	o := tapOptions{trafficOptions: trafficOptions{Options: standardOptions()}, Listen: os.Args[4]}
	o.Stderr = os.Stdout // the test reads the address there
	if err := runTap(ctx, []string{os.Args[2]}, o); err != nil {
		child.Fail(err)
	}
}

func init() { roles["poll"], roles["tap"] = playPoll, playTap }

// A tap says in the table what it is.
func TestTapNamesItself(t *testing.T) {
	setSettings(t, "")
	server, port := listen(t, "127.0.0.1:0")
	defer server.Close()
	tap := child.Start(t, command("tap", "tap", port, "--listen", "127.0.0.1:0"))
	m := tapAddress.FindStringSubmatch(tap.Line(t))
	if m == nil {
		t.Fatal("the tap did not say where it listens")
	}
	listeners := listJSON(t, m[1])["listeners"].([]any)
	if len(listeners) != 1 || listeners[0].(map[string]any)["service"] != "tap of "+port {
		t.Errorf("got %v, want the service %q", listeners, "tap of "+port)
	}
	var out, stderr bytes.Buffer
	if err := runWho(t.Context(), m[1], Options{Stdout: &out, Stderr: &stderr}); err != nil || !strings.Contains(out.String(), "tap of "+port) {
		t.Errorf("who: got %q, %v; want the tap's name", &out, err)
	}
}

// The third: is this password sent in the clear? It is shown only on request.
func TestExamplePassword(t *testing.T) {
	port := redis(t, "hunter22")
	for _, unmasked := range []bool{false, true} {
		address, out, _, end := tapped(t, tapOptions{trafficOptions: trafficOptions{Options: Options{Unmasked: unmasked}}}, port)
		_, tap, _ := net.SplitHostPort(address)
		client(t, "redis-tools", "redis-cli", "-p", tap, "-a", "hunter22", "--no-auth-warning", "set", "name", "ann")
		got := strings.Join(lines(t, out, 2), "\n")
		want := "AUTH •••"
		if unmasked {
			want = "AUTH hunter22"
		}
		if !strings.Contains(got, want) || strings.Contains(got, "hunter22") != unmasked || !strings.Contains(got, "SET name ann") {
			t.Errorf("unmasked %v: got %q, want %q", unmasked, got, want)
		}
		client(t, "redis-tools", "redis-benchmark", "-p", tap, "-a", "hunter22", "-q", "-n", "200", "-c", "4", "-t", "ping,set,get,lrange_100")
		await.Until(t, "the commands of redis-benchmark are printed", func() bool { return strings.Contains(out.String(), "LRANGE mylist 0 99") })
		end()
		if strings.Contains(out.String(), "! ") {
			t.Errorf("redis-benchmark: something was not decoded:\n%s", firstLines(out.String(), "! "))
		}
	}
}

// firstLines returns up to five of the lines that contain a text.
func firstLines(all, text string) string {
	var found []string
	for line := range strings.Lines(all) {
		if strings.Contains(line, text) && len(found) < 5 {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// The fourth: watch a gRPC call. It is HTTP/2 without TLS (RFC 9113, prior knowledge), with
// the status in the trailer.
func TestExampleGRPC(t *testing.T) {
	var unencrypted http.Protocols
	unencrypted.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		_, _ = w.Write([]byte{0, 0, 0, 0, 2, 10, 0})
		w.Header().Set("Grpc-Status", "5")
		w.Header().Set("Grpc-Message", "no such name")
	}))
	server.Config.Protocols = &unencrypted
	server.Start()
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	address, out, _, _ := tapped(t, tapOptions{trafficOptions: trafficOptions{Bodies: true}}, port, "protocol:grpc")
	c := &http.Client{Transport: &http.Transport{Protocols: &unencrypted}}
	defer c.CloseIdleConnections()
	resp, err := c.Post("http://"+address+"/helloworld.Greeter/SayHello", "application/grpc", strings.NewReader("\x00\x00\x00\x00\x16\n\x03ann\x12\x0ftoken=geheim123"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	await.Until(t, "the call is printed with its answer", func() bool { return strings.Contains(out.String(), `< 1: ""`) }, func() any { return out.String() })
	for _, want := range []string{"/helloworld.Greeter/SayHello", `> 1: "ann"`, `> 2: "token=•••"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not printed:\n%s", want, out)
		}
	}
}
