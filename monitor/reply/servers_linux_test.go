package reply

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"porthole/internal/await"
	"porthole/internal/freeport"
)

const (
	nodeHTTP  = `require("http").createServer((q, s) => { s.setHeader("X-Powered-By", "Express"); s.setHeader("Content-Type", "text/html"); s.end("<title>Node</title>") }).listen(%d, "127.0.0.1")`
	nodeHTTPS = `const fs = require("fs"); require("https").createServer({key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem")}, (q, s) => s.end("safe")).listen(%d, "127.0.0.1")`
	nginxConf = `daemon off; pid nginx.pid; error_log stderr; events {} http { access_log access.log; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
server { listen 127.0.0.1:%d ssl http2; ssl_certificate cert.pem; ssl_certificate_key key.pem; location / { default_type text/html; return 200 "<title>Behind TLS</title>"; } } }`
)

// Real servers, each alone in a folder with a certificate.
func TestAskRealServers(t *testing.T) {
	for _, test := range []struct {
		name    string
		service string
		command []string // in the folder; PORT and FILE stand for them
		file    string   // content of FILE, with the port
		check   func(Reply) bool
	}{
		{"http.server", "", []string{"python3", "-m", "http.server", "PORT", "--bind", "127.0.0.1"}, "", func(r Reply) bool {
			return r.Protocol == HTTP && r.Title == "Directory listing for /" && strings.HasPrefix(r.Server, "SimpleHTTP/") && r.Status == "HTTP/1.0 200 OK"
		}},
		{"node", "", []string{"node", "FILE"}, nodeHTTP, func(r Reply) bool { return r.Title == "Node" && r.Framework == "Express" }},
		{"node with TLS", "", []string{"node", "FILE"}, nodeHTTPS, func(r Reply) bool { return r.Protocol == HTTP && r.TLS != nil && r.TLS.ALPN == "http/1.1" }},
		{"nginx with TLS", "nginx", []string{"nginx", "-p", ".", "-c", "FILE"}, nginxConf, func(r Reply) bool {
			return r.Protocol == HTTP && r.Title == "Behind TLS" && strings.HasPrefix(r.Server, "nginx/") && r.TLS != nil && r.TLS.ALPN == "h2" && r.TLS.Certificate.SelfSigned &&
				strings.Contains(r.TLS.Certificate.Subject, "CN=shop.test")
		}},
		{"openssl s_server -www", "", []string{"openssl", "s_server", "-accept", "127.0.0.1:PORT", "-key", "key.pem", "-cert", "cert.pem", "-www"}, "", func(r Reply) bool {
			return r.Protocol == HTTP && r.Status == "HTTP/1.0 200 ok" && r.TLS != nil
		}},
		{"openssl s_server", "", []string{"openssl", "s_server", "-accept", "127.0.0.1:PORT", "-key", "key.pem", "-cert", "cert.pem", "-quiet", "-tls1_2"}, "", func(r Reply) bool {
			return r.Protocol == TLS && r.Failure == NoHTTP && r.TLS.Version == "TLS 1.2"
		}},
		{"Redis", "", []string{"redis-server", "--port", "PORT", "--bind", "127.0.0.1", "--save", ""}, "", func(r Reply) bool { return r.Protocol == Redis && strings.HasPrefix(r.Banner, "-ERR") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := exec.LookPath(test.command[0]); err != nil {
				t.Skip(err)
			}
			port := freeport.Get(t)
			dir := newServerFolder(t)
			file := filepath.Join(dir, "server.conf")
			content := strings.Replace(test.file, "%d", fmt.Sprint(port), 1)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			words := strings.NewReplacer("PORT", fmt.Sprint(port), "FILE", file)
			var args []string
			for _, arg := range test.command[1:] {
				args = append(args, words.Replace(arg))
			}
			startServer(t, dir, test.command[0], args...)
			address := fmt.Sprintf("127.0.0.1:%d", port)
			await.Listener(t, address)
			l := listenerOf(address)
			l.Service = test.service
			if r := Ask(t.Context(), l, netip.Addr{}, nil); !test.check(r) {
				t.Errorf("got %+v, TLS %+v", r, r.TLS)
			}
		})
	}
}

// newServerFolder returns a folder with a certificate of shop.test.
func newServerFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path, err := exec.LookPath("openssl")
	if err != nil {
		return dir // the servers that need a certificate fail
	}
	c := exec.Command(path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "30", "-subj", "/O=Acme/CN=shop.test")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v, %s", c.Args, err, out)
	}
	return dir
}

// startServer runs a server in dir until the test ends.
func startServer(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	c := exec.Command(program, args...)
	c.Dir = dir
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // its workers too
		_ = c.Wait()                                      // it was killed
	})
}
