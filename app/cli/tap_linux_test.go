package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/freeport"
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
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed (package redis-server)")
	}
	port := strconv.Itoa(freeport.Get(t))
	c := exec.Command("redis-server", "--port", port, "--save", "", "--requirepass", "hunter22", "--dir", t.TempDir())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	await.Listener(t, "127.0.0.1:"+port)
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

// PostgreSQL's own clients: psql with errors and rows, pgbench with each of its protocols.
func TestPostgresClients(t *testing.T) {
	address, stop := postgres(t)
	defer stop()
	_, port, _ := net.SplitHostPort(address)
	pcapFile := filepath.Join(t.TempDir(), "postgres.pcapng")
	tap, out, _, end := tapped(t, tapOptions{trafficOptions: trafficOptions{PCAP: pcapFile}}, port)
	_, tapPort, _ := net.SplitHostPort(tap)
	psql := func(query string) string {
		return client(t, "postgresql-client", "psql", "-h", "127.0.0.1", "-p", tapPort, "-U", "postgres", "-Atc", query, "postgres")
	}
	if got := psql("select n, 'x' from generate_series(1, 3) n"); got != "1|x\n2|x\n3|x\n" {
		t.Fatalf("psql printed %q", got)
	}
	psql("select nonsense")
	bench := func(port string, args ...string) {
		t.Helper()
		args = append(args, "-h", "127.0.0.1", "-p", port, "-U", "postgres", "postgres")
		client(t, "postgresql", pgProgram(t, "pgbench"), args...)
	}
	bench(port, "-i", "-q") // 100,000 rows, which tshark would take long for
	for _, protocol := range []string{"simple", "extended", "prepared"} {
		bench(tapPort, "-M", protocol, "-t", "10", "-c", "2", "-n")
	}
	await.Until(t, "the queries of pgbench are printed", func() bool {
		return strings.Count(out.String(), "UPDATE pgbench_tellers") >= 60
	}, func() any { return strings.Count(out.String(), "UPDATE pgbench_tellers") })
	end()
	for _, want := range []string{"SELECT 3", "ERROR 42703: column \"nonsense\" does not exist", "CONNECT postgres@postgres"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed", want)
		}
	}
	if seen, err := exec.Command("tshark", "-r", pcapFile, "-d", "tcp.port=="+port+",pgsql", "-Y", "pgsql.query", "-T", "fields", "-e", "pgsql.query").Output(); err != nil {
		t.Logf("tshark does not judge: %v", err)
	} else {
		for _, query := range []string{"select n, 'x' from generate_series(1, 3) n", "select nonsense", "UPDATE pgbench_tellers"} {
			if ours, theirs := strings.Count(out.String(), " "+query), strings.Count(string(seen), query); ours < 1 || theirs < 1 || ours < theirs {
				t.Errorf("%q: printed %d times, tshark sees it %d times", query, ours, theirs)
			}
		}
	}
	if bad := firstLines(strings.ReplaceAll(out.String(), "! ERROR 42703", ""), "! "); bad != "" {
		t.Errorf("something was not decoded:\n%s", bad)
	}
}

// pgProgram returns the path of a program that Debian keeps out of PATH.
func pgProgram(t *testing.T, name string) string {
	t.Helper()
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		return found[len(found)-1]
	}
	return name
}

// postgres starts a server of PostgreSQL that trusts everyone.
func postgres(t *testing.T) (address string, stop func()) {
	t.Helper()
	initdb, server := pgProgram(t, "initdb"), pgProgram(t, "postgres")
	if _, err := os.Stat(initdb); err != nil {
		t.Skip("PostgreSQL is not installed (package postgresql)")
	}
	folder, err := os.MkdirTemp("", "porthole-pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	as := func(c *exec.Cmd) *exec.Cmd {
		c.Dir, c.Env = folder, append(os.Environ(), "LC_ALL=C")
		if os.Getuid() == 0 { // PostgreSQL refuses to run as root
			child.AsNobody(c)
			c.Dir = folder
		}
		return c
	}
	if os.Getuid() == 0 {
		if err := os.Chown(folder, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(folder, "data")
	if out, err := as(exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-N")).CombinedOutput(); err != nil {
		t.Skipf("initdb: %v: %s", err, out)
	}
	port := strconv.Itoa(freeport.Get(t))
	c := as(exec.Command(server, "-D", data, "-p", port, "-k", folder, "-c", "fsync=off", "-h", "127.0.0.1"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	await.Listener(t, "127.0.0.1:"+port)
	return "127.0.0.1:" + port, func() {
		_ = c.Process.Signal(os.Interrupt) // fast shutdown
		if err := c.Wait(); err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Error(err)
			}
		}
	}
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
	address, out, _, _ := tapped(t, tapOptions{}, port, "protocol:grpc")
	c := &http.Client{Transport: &http.Transport{Protocols: &unencrypted}}
	defer c.CloseIdleConnections()
	resp, err := c.Post("http://"+address+"/helloworld.Greeter/SayHello", "application/grpc", bytes.NewReader([]byte{0, 0, 0, 0, 3, 10, 1, 'x'}))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if got := lines(t, out, 1); !strings.Contains(got[0], "/helloworld.Greeter/SayHello") {
		t.Errorf("got %q, want the service and the method", got)
	}
}

// The same requests of curl over HTTP/1.1, kept alive, and HTTP/2 are decoded.
func TestCurl(t *testing.T) {
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %d", r.Proto, len(b))
	}))
	server.Config.Protocols = &both
	server.Start()
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	address, out, _, end := tapped(t, tapOptions{}, port)
	if got := client(t, "curl", "curl", "-s", "http://"+address+"/a", "http://"+address+"/b"); got != "HTTP/1.1 0HTTP/1.1 0" {
		t.Errorf("kept alive: curl printed %q", got)
	}
	upload := strings.Repeat("x", 3000)
	if got := client(t, "curl", "curl", "-s", "--http2-prior-knowledge", "-d", upload, "http://"+address+"/c"); got != "HTTP/2.0 3000" {
		t.Errorf("HTTP/2: curl printed %q", got)
	}
	if got := client(t, "curl", "curl", "-s", "-H", "Expect: 100-continue", "-H", "Transfer-Encoding: chunked", "-d", upload, "http://"+address+"/d"); got != "HTTP/1.1 3000" {
		t.Errorf("chunked: curl printed %q", got)
	}
	lines(t, out, 4)
	end()
	for _, want := range []string{"GET /a", "GET /b", "POST /c", "POST /d"} {
		if n := strings.Count(out.String(), want); n != 1 {
			t.Errorf("%s is printed %d times, want once:\n%s", want, n, out)
		}
	}
	if strings.Contains(out.String(), "! ") || strings.Count(out.String(), "  200  ") != 4 {
		t.Errorf("got\n%s\nwant four times 200 and no problem", out)
	}
}

// Programs of the system that speak HTTP/1.1: wrk keeps many connections alive, Python
// closes each.
func TestOtherClients(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for name, run := range map[string]func(*testing.T, string){
		"wrk": func(t *testing.T, url string) {
			if out := client(t, "wrk", "wrk", "-t1", "-c32", "-d1s", url); !strings.Contains(out, "requests in") || strings.Contains(out, "Non-2xx") {
				t.Errorf("wrk printed %s", out)
			}
		},
		"python": func(t *testing.T, url string) {
			if out := client(t, "python3", "python3", "-c", "import sys, urllib.request\nfor i in range(20): print(len(urllib.request.urlopen(sys.argv[1], data=b'x' * 70000).read()))", url); strings.Count(out, "1000\n") != 20 {
				t.Errorf("python3 printed %s", out)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, out, stderr, end := tapped(t, tapOptions{}, port, "status:error")
			run(t, "http://"+address+"/")
			end()
			// wrk closes its connections while answers are on their way.
			for line := range strings.Lines(out.String()) {
				if !strings.Contains(line, "closed") && !strings.Contains(line, "broke") {
					t.Errorf("a problem: %s", line)
				}
			}
			if strings.Contains(stderr.String(), "not decoded") {
				t.Errorf("bytes were lost: %s", stderr)
			}
		})
	}
}
