package cli

import (
	"bytes"
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
	"slices"
	"strconv"
	"strings"
	"testing"

	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/monitor/process/child"
)

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
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Log("tshark does not judge: it is not installed")
	} else if seen, err := exec.Command("tshark", "-r", pcapFile, "-d", "tcp.port=="+port+",pgsql", "-Y", "pgsql.query", "-T", "fields", "-e", "pgsql.query").Output(); err != nil {
		t.Errorf("tshark: %v", err)
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
		"python, kept alive": func(t *testing.T, url string) {
			const program = `import sys, http.client
c = http.client.HTTPConnection(sys.argv[1].split("/")[2])
for i in range(20):
    c.request("PUT", "/%d" % i, body=iter([b"x" * 30000, b"y"]))
    print(len(c.getresponse().read()))`
			if out := client(t, "python3", "python3", "-c", program, url); strings.Count(out, "1000\n") != 20 {
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

// nghttp and h2load speak HTTP/2 with prior knowledge, with many streams at once, to nghttpd.
func TestNghttp2(t *testing.T) {
	path, err := exec.LookPath("nghttpd")
	if err != nil {
		t.Skip("nghttpd is not installed (package nghttp2-server)")
	}
	folder := t.TempDir()
	for name, size := range map[string]int{"small": 10, "large": 300_000} {
		if err := os.WriteFile(filepath.Join(folder, name), bytes.Repeat([]byte("x"), size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	port := strconv.Itoa(freeport.Get(t))
	serverOf(t, exec.Command(path, "--no-tls", "-a", "127.0.0.1", "-d", folder, port), port)
	address, out, _, end := tapped(t, tapOptions{}, port)
	url := "http://" + address
	client(t, "nghttp2-client", "nghttp", "-n", url+"/small", url+"/large", url+"/none")
	client(t, "curl", "curl", "-s", "-o", "/dev/null", "--http2-prior-knowledge", url+"/large")
	lines(t, out, 4)
	for want, n := range map[string]int{"GET /small": 1, "GET /large": 2, "GET /none": 1, "  404  ": 1, "  200  ": 3} {
		if got := strings.Count(out.String(), want); got != n {
			t.Errorf("%q is printed %d times, want %d:\n%s", want, got, n, out)
		}
	}
	client(t, "nghttp2-client", "h2load", "-n", "2000", "-c", "4", "-m", "20", url+"/small")
	lines(t, out, 2004)
	end()
	if bad := firstLines(out.String(), "! "); bad != "" || strings.Count(out.String(), "GET /small") != 2001 {
		t.Errorf("h2load: %d requests are printed, want 2001; problems:\n%s", strings.Count(out.String(), "GET /small"), bad)
	}
}

// webSockets is a server and a client of node and its module ws: the client sends what is
// compressed, binary, long and fragmented, and the server sends it back.
const webSockets = `const { WebSocket, WebSocketServer } = require("ws")
const mode = process.argv[1], where = process.argv[2]
if (mode === "server") {
	const s = new WebSocketServer({ host: "127.0.0.1", port: +where, perMessageDeflate: true })
	s.on("connection", c => c.on("message", (data, binary) => c.send(data, { binary })))
} else {
	const c = new WebSocket("ws://" + where + "/chat", { perMessageDeflate: mode === "compressed" })
	const wanted = ["hello from node", "x".repeat(100000), Buffer.from([0, 1, 2]), "in two parts"]
	c.on("open", () => {
		for (const w of wanted.slice(0, 3)) c.send(w)
		c.send("in two ", { fin: false })
		c.send("parts", { fin: true })
	})
	let seen = 0
	c.on("message", data => {
		if (data.toString() !== wanted[seen].toString()) { console.log("got", data.toString().slice(0, 40)); process.exit(1) }
		if (++seen === wanted.length) { console.log("done"); c.close(1000, "bye") }
	})
}`

func TestNodeWebSockets(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed (package nodejs)")
	}
	t.Setenv("NODE_PATH", "/usr/share/nodejs:/usr/lib/nodejs") // of Debian's packages, for a node from elsewhere
	if err := exec.Command("node", "-e", `require("ws")`).Run(); err != nil {
		t.Skip("node has no module ws (package node-ws)")
	}
	port := strconv.Itoa(freeport.Get(t))
	serverOf(t, exec.Command("node", "-e", webSockets, "server", port), port)
	for _, mode := range []string{"plain", "compressed"} {
		address, out, _, end := tapped(t, tapOptions{trafficOptions: trafficOptions{Options: Options{JSON: true}, Bodies: true}}, port)
		if got := client(t, "nodejs", "node", "-e", webSockets, mode, address); got != "done\n" {
			t.Errorf("%s: node printed %q", mode, got)
		}
		lines(t, out, 11) // the upgrade, four messages each way, and two that close
		end()
		var sent, answered []string
		for line := range strings.Lines(out.String()) {
			var e exchangeJSON
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e.Protocol != "WebSocket" || e.Method == "close" {
				continue
			}
			what := e.Method + " "
			for _, m := range []*messageJSON{e.Request, e.Answer} {
				if m != nil && m.Body != nil {
					what += *m.Body
				} else if m != nil {
					what += fmt.Sprint(m.Binary)
				}
			}
			if e.Problem != "" {
				t.Errorf("%s: %s: %s", mode, what[:min(len(what), 40)], e.Problem)
			}
			if e.Request != nil {
				sent = append(sent, what)
			} else {
				answered = append(answered, what)
			}
		}
		want := []string{"text hello from node", "text " + strings.Repeat("x", 100_000), "binary [0 1 2]", "text in two parts"}
		if !slices.Equal(sent, want) || !slices.Equal(answered, want) {
			t.Errorf("%s: got %.200q and %.200q, want four messages each way", mode, sent, answered)
		}
		if !strings.Contains(out.String(), "1000 bye") || !strings.Contains(out.String(), `"path":"/chat"`) {
			t.Errorf("%s: the upgrade or the end is missing:\n%.2000s", mode, out)
		}
	}
}

// serverOf starts a server, waits until it listens on a port, and ends it with the test.
func serverOf(t *testing.T, c *exec.Cmd, port string) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() }) // it may have ended
	await.Listener(t, "127.0.0.1:"+port)
}

// redis starts a server of Redis with a password and returns its port. Debian's package
// redis-tools has the program under another name, and starts no service.
func redis(t *testing.T, password string) (port string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		path, err = exec.LookPath("redis-check-rdb")
	}
	if err != nil {
		t.Skip("Redis is not installed (package redis-tools)")
	}
	port = strconv.Itoa(freeport.Get(t))
	c := exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--requirepass", password, "--dir", t.TempDir())
	c.Args[0] = "redis-server" // the program acts by its name
	serverOf(t, c, port)
	return port
}
