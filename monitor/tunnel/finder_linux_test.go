package tunnel

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
)

// fakeVariable makes this test program imitate a tunnel program: its value is how the local
// API answers.
const fakeVariable = "PORTHOLE_FAKE_TUNNEL"

func TestMain(m *testing.M) {
	if how, ok := os.LookupEnv(fakeVariable); ok {
		imitate(how)
		return
	}
	os.Exit(m.Run())
}

// imitate serves a local API that answers as how says, prints its address, and ends with its
// standard input.
func imitate(how string) {
	server := http.NewServeMux()
	server.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { answer(w, r, how) })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(ln, server) }()
	fmt.Println(ln.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func answer(w http.ResponseWriter, r *http.Request, how string) {
	switch kind, text, _ := strings.Cut(how, " "); kind {
	case "hang":
		<-r.Context().Done()
	case "endless":
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	case "redirect":
		http.Redirect(w, r, text, http.StatusFound)
	case "none":
		http.NotFound(w, r)
	default:
		if r.URL.Path == kind {
			_, _ = io.WriteString(w, text)
			return
		}
		http.NotFound(w, r)
	}
}

// start starts this test program under the name of another, with arguments, and returns its
// PID and the address of its API.
func start(t *testing.T, how, name string, args ...string) (pid int, api string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), fakeVariable+"="+how)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return c.Process.Pid, strings.TrimSpace(line)
}

// loopback returns a listener on 127.0.0.1 and its state.
func loopback(t *testing.T) *monitor.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return listenerAt(uint16(ln.Addr().(*net.TCPAddr).Port))
}

func listenerAt(port uint16) *monitor.Listener {
	a := netip.MustParseAddr("127.0.0.1")
	return &monitor.Listener{Protocol: monitor.TCP, Port: port, Addresses: []netip.Addr{a}, Exposure: monitor.ExposureLoopback,
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Protocol: monitor.TCP, Address: a, Port: port}}}}
}

// found returns what a new Finder says about l, without the PIDs.
func found(t *testing.T, l *monitor.Listener) string {
	t.Helper()
	f := New()
	f.Scan(t.Context())
	return foundBy(f, l)
}

func foundBy(f *Finder, l *monitor.Listener) string {
	copied := *l
	f.Describe(&copied)
	text := string(copied.Exposure)
	for _, tunnel := range copied.Tunnels {
		text += ", " + tunnel.Sentence().String()
	}
	return text
}

// Each program is recognised as a real process.
func TestProcesses(t *testing.T) {
	l := loopback(t)
	port := strconv.Itoa(int(l.Port))
	for _, test := range []struct{ command, want string }{
		{"cloudflared tunnel --url http://localhost:PORT", "public, Public through cloudflared"},
		{"ngrok http PORT --url https://shop.ngrok.app", "public, Public through ngrok: https://shop.ngrok.app"},
		{"tailscale funnel PORT", "public, Public through tailscale funnel"},
		{"tailscale serve PORT", "network, Reachable in the tailnet through tailscale serve"},
		{"ssh -N -R 9000:localhost:PORT ann@example.org", "network, Reachable on example.org:9000 through ssh -R"},
		{"ssh -N -R 80:localhost:PORT serveo.net", "public, Public through serveo.net (ssh -R)"},
		{"node /usr/local/bin/lt --port PORT", "public, Public through localtunnel"},
		{"bore local PORT --to bore.pub", "public, Public through bore"},
		{"zrok share public PORT", "public, Public through zrok"},
		{"ngrok http 1", "loopback"},
		{"nginx http PORT", "loopback"},
	} {
		t.Run(test.command, func(t *testing.T) {
			words := strings.Fields(strings.ReplaceAll(test.command, "PORT", port))
			start(t, "none", words[0], words[1:]...)
			if got := found(t, l); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The API of ngrok replaces its command line. Answers that are none do not.
func TestAnswersOfNgrok(t *testing.T) {
	l := loopback(t)
	port := strconv.Itoa(int(l.Port))
	const path = "/api/tunnels "
	tunnel := `{"tunnels":[{"name":"command_line","ID":"2d","uri":"/api/tunnels/command_line","public_url":"https://9e1f.ngrok-free.app","proto":"https","config":{"addr":"http://localhost:` + port + `","inspect":true},"metrics":{}}],"uri":"/api/tunnels"}`
	elsewhere, _ := net.Listen("tcp", "127.0.0.1:0")
	defer elsewhere.Close()
	visited := make(chan bool, 1)
	go func() {
		if c, err := elsewhere.Accept(); err == nil {
			visited <- true
			_ = c.Close()
		}
	}()
	for name, test := range map[string]struct{ answer, args, want string }{
		"good":             {path + tunnel, "http " + port, "public, Public through ngrok: https://9e1f.ngrok-free.app"},
		"started by file":  {path + tunnel, "start --all", "public, Public through ngrok: https://9e1f.ngrok-free.app"},
		"not connected":    {path + `{"tunnels":[],"uri":"/api/tunnels"}`, "http " + port, "loopback"},
		"internal":         {path + strings.Replace(tunnel, "9e1f.ngrok-free.app", "shop.internal", 1), "http " + port, "network, Reachable for the same account through ngrok: https://shop.internal"},
		"garbage":          {path + "<html>", "http " + port, "public, Public through ngrok"},
		"something else":   {path + `{"version":3}`, "http " + port, "public, Public through ngrok"},
		"not found":        {"none", "http " + port, "public, Public through ngrok"},
		"hangs":            {"hang", "http " + port, "public, Public through ngrok"},
		"endless":          {"endless", "http " + port, "public, Public through ngrok"},
		"redirect":         {"redirect http://" + elsewhere.Addr().String() + "/api/tunnels", "http " + port, "public, Public through ngrok"},
		"hostile URL":      {path + strings.Replace(tunnel, "https://9e1f.ngrok-free.app", "https://a\\u202eb/<b>", 1), "http " + port, "public, Public through ngrok"},
		"of another port":  {path + tunnel, "http 1", "public, Public through ngrok: https://9e1f.ngrok-free.app"},
		"no login in URLs": {path + strings.Replace(tunnel, "https://", "https://ann:hunter2@", 1), "http " + port, "public, Public through ngrok: https://9e1f.ngrok-free.app"},
	} {
		t.Run(name, func(t *testing.T) {
			start(t, test.answer, "ngrok", strings.Fields(test.args)...)
			began := time.Now()
			if got := found(t, l); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			t.Logf("took %v", time.Since(began))
		})
	}
	select {
	case <-visited:
		t.Error("a redirect was followed")
	default:
	}
}

// A server that only listens where ngrok usually does is not asked: the port must be that of
// the ngrok process.
func TestOnlyTheProcessIsAsked(t *testing.T) {
	asked := make(chan string, 8)
	ln, err := net.Listen("tcp", "127.0.0.1:4040")
	if err != nil {
		t.Skip("needs port 4040")
	}
	defer ln.Close()
	go func() {
		_ = http.Serve(ln, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	}()
	l := loopback(t)
	start(t, "none", "ngrok", "http", strconv.Itoa(int(l.Port)))
	if got, want := found(t, l), "public, Public through ngrok"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	select {
	case path := <-asked:
		t.Errorf("another program's server was asked for %s", path)
	default:
	}
}

func TestAnswersOfCloudflared(t *testing.T) {
	l := loopback(t)
	target := "http://localhost:" + strconv.Itoa(int(l.Port))
	for name, test := range map[string]struct{ answer, args, want string }{
		"quick tunnel":      {`/quicktunnel {"hostname":"big-red-ship.trycloudflare.com"}`, "tunnel --url " + target, "public, Public through cloudflared: https://big-red-ship.trycloudflare.com"},
		"not connected yet": {`/quicktunnel {"hostname":""}`, "tunnel --url " + target, "public, Public through cloudflared"},
		"by token":          {`/config {"version":3,"config":{"ingress":[{"hostname":"shop.example.com","service":"` + target + `"},{"service":"http_status:404"}],"warp-routing":{}}}`, "tunnel run --token eyJhIjoi", "public, Public through cloudflared: https://shop.example.com"},
		"nothing of ours":   {`/config []`, "tunnel run --token eyJhIjoi", "loopback"},
	} {
		t.Run(name, func(t *testing.T) {
			start(t, test.answer, "cloudflared", strings.Fields(test.args)...)
			if got := found(t, l); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// tailscaled answers every user of the machine at its Unix socket.
func TestAnswersOfTailscaled(t *testing.T) {
	l := loopback(t)
	folder, err := os.MkdirTemp("", "ts") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	socket := filepath.Join(folder, "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET local-tailscaled.sock/localapi/v0/serve-config", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"TCP":{"443":{"HTTPS":true}},"Web":{"shop.tail1.ts.net:443":{"Handlers":{"/":{"Proxy":"http://127.0.0.1:%d"}}}},"AllowFunnel":{"shop.tail1.ts.net:443":true}}`, l.Port)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(ln) }()
	defer server.Close()
	start(t, "none", "tailscaled", "--socket="+socket)
	if got, want := found(t, l), "public, Public through tailscale funnel: https://shop.tail1.ts.net"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Run reports that a tunnel starts and ends, and asks a local API no more often than every
// ten seconds.
func TestRun(t *testing.T) {
	l := loopback(t)
	f := New()
	f.every = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	changed, done := make(chan string, 100), make(chan struct{})
	go func() { defer close(done); f.Run(ctx, func() { changed <- foundBy(f, l) }) }()
	defer func() { cancel(); <-done }()
	f.Await(t.Context())
	t.Run("tunnel", func(t *testing.T) {
		start(t, "none", "bore", "local", strconv.Itoa(int(l.Port)), "--to", "bore.pub")
		await.Until(t, "the tunnel is reported", func() bool { return foundBy(f, l) == "public, Public through bore" })
	})
	await.Until(t, "its end is reported", func() bool { return foundBy(f, l) == "loopback" })
	if len(changed) < 2 {
		t.Errorf("got %d reports, want at least 2", len(changed))
	}
}

// A real ssh forwards a port of a real sshd here.
func TestRealSSH(t *testing.T) {
	daemon, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil || os.Getuid() != 0 {
		t.Skip("needs root and sshd")
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh")
	}
	folder := t.TempDir()
	key := filepath.Join(folder, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	free := freePort(t)
	config := fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s.pub\nStrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\n", free, key, key)
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		c := exec.Command(name, args...)
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	}
	run(daemon, "-D", "-e", "-f", filepath.Join(folder, "config"))
	await.Listener(t, fmt.Sprintf("127.0.0.1:%d", free))
	l, there := loopback(t), freePort(t)
	run("ssh", "-F", "none", "-N", "-i", key, "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
		"-R", fmt.Sprintf("%d:localhost:%d", there, l.Port), "-p", strconv.Itoa(free), "127.0.0.1")
	await.Listener(t, fmt.Sprintf("127.0.0.1:%d", there))
	if got, want := found(t, l), fmt.Sprintf("network, Reachable on 127.0.0.1:%d through ssh -R", there); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
