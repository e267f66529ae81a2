package tunnel

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"porthole/monitor"
)

// describe returns what a command line says, for comparisons.
func describe(command ...string) string {
	p, args, ok := recognise(command)
	if !ok {
		return "no tunnel"
	}
	var texts []string
	for _, f := range p.parse(args) {
		title := f.title
		if title == "" {
			title = p.title
		}
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s:%d %s %s%s", title, f.target.host, f.target.port, f.reach, f.url, f.host)))
	}
	return strings.Join(texts, ", ")
}

func TestCommandLines(t *testing.T) {
	for command, want := range map[string]string{
		"cloudflared tunnel --url http://localhost:8080":                                   "cloudflared localhost:8080 internet",
		"/usr/local/bin/cloudflared tunnel --no-autoupdate --url=127.0.0.1:3000":           "cloudflared 127.0.0.1:3000 internet",
		"cloudflared tunnel --metrics 127.0.0.1:9999 run --url http://localhost:8080 shop": "cloudflared localhost:8080 internet",
		"cloudflared --url localhost:8080":                                                 "cloudflared localhost:8080 internet",
		"cloudflared tunnel run --token eyJhIjoiYWJjIn0":                                   "",
		"cloudflared access tcp --hostname ssh.example.com --url localhost:9210":           "", // listens there itself
		"cloudflared tunnel --hello-world":                                                 "",
		"cloudflared tunnel --hostname shop.example.com --url https://localhost":           "cloudflared localhost:443 internet https://shop.example.com",
		"ngrok http 8080":                                                               "ngrok :8080 internet",
		"ngrok http --domain=baz.ngrok.dev 8080":                                        "ngrok :8080 internet https://baz.ngrok.dev",
		"ngrok http --domain baz.ngrok.dev localhost:8080 --log stdout":                 "ngrok localhost:8080 internet https://baz.ngrok.dev",
		"ngrok http 80 --url https://baz.ngrok.dev --pooling-enabled":                   "ngrok :80 internet https://baz.ngrok.dev",
		"ngrok --authtoken 2abcSECRET tcp 22":                                           "ngrok :22 internet",
		"ngrok http https://localhost:8443":                                             "ngrok localhost:8443 internet",
		"ngrok http 8080 --url https://shop.internal":                                   "ngrok :8080 account https://shop.internal",
		"ngrok http file:///srv/www":                                                    "",
		"ngrok start --all":                                                             "",
		"ngrok config check":                                                            "",
		"ngrok http 99999":                                                              "",
		"ngrok":                                                                         "",
		"tailscale serve 3000":                                                          "tailscale serve :3000 tailnet",
		"tailscale funnel http://127.0.0.1:3000/api":                                    "tailscale funnel 127.0.0.1:3000 internet",
		"tailscale funnel --https=8443 --set-path /x 3000":                              "tailscale funnel :3000 internet",
		"tailscale funnel --tcp=10000 tcp://localhost:5432":                             "tailscale funnel localhost:5432 internet",
		"tailscale serve https+insecure://localhost:8443":                               "tailscale serve localhost:8443 tailnet",
		"tailscale funnel --bg 3000":                                                    "", // tailscaled knows
		"tailscale serve status":                                                        "",
		"tailscale funnel 443 off":                                                      "",
		"tailscale up":                                                                  "",
		"ssh -N -R 8080:localhost:3000 ann@example.org":                                 "ssh -R localhost:3000 host example.org:8080",
		"ssh -fNTR *:8080:localhost:3000 -p 2222 ann@example.org":                       "ssh -R localhost:3000 host example.org:8080",
		"ssh -R8080:[::1]:3000 -i key ssh://ann@example.org:2222":                       "ssh -R ::1:3000 host example.org:8080",
		"ssh -R 80:localhost:3000 serveo.net":                                           "serveo.net (ssh -R) localhost:3000 internet",
		"ssh -R shop:80:localhost:3000 serveo.net":                                      "serveo.net (ssh -R) localhost:3000 internet",
		"ssh -R 80:localhost:8080 nokey@localhost.run":                                  "localhost.run (ssh -R) localhost:8080 internet",
		"ssh -p 443 -R0:127.0.0.1:8000 -L4300:127.0.0.1:4300 qrSECRETtoken@a.pinggy.io": "a.pinggy.io (ssh -R) 127.0.0.1:8000 internet",
		"ssh -R 80:localhost:3000 evil-serveo.net":                                      "ssh -R localhost:3000 host evil-serveo.net:80",
		"ssh -R 0:localhost:3000 -R 9000:localhost:9001 build":                          "ssh -R localhost:3000 host build, ssh -R localhost:9001 host build:9000",
		"ssh -R 1080 build":                                                             "", // SOCKS: to everything
		"ssh -R /run/a.sock:localhost:3000 build":                                       "",
		"ssh -R 8080:/run/web.sock build":                                               "",
		"ssh -O forward -R 8080:localhost:3000 build":                                   "",
		"ssh -L 8080:localhost:3000 build":                                              "",
		"ssh build curl -R 8080:localhost:3000 other":                                   "", // after the destination: a command there
		"ssh -oRemoteForward=8080\x01localhost:3000 build":                              "ssh -R localhost:3000 host build:8080",
		"ssh -R":                             "",
		"ssh":                                "",
		"node /usr/local/bin/lt --port 8000": "localtunnel :8000 internet",
		"node /srv/node_modules/.bin/lt -p 8000 --local-host web --subdomain shop":       "localtunnel web:8000 internet",
		"/usr/bin/node --no-warnings /usr/lib/node_modules/localtunnel/bin/lt.js -p8000": "localtunnel :8000 internet",
		"MainThread /usr/local/bin/lt --host http://lt.example.org --port=8000":          "localtunnel :8000 internet",
		"node server.js --port 8000":    "no tunnel",
		"lt":                            "",
		"bore local 8000 --to bore.pub": "bore :8000 internet",
		"bore local 8000 --to bore.pub --port 4711 --secret hunter2": "bore :8000 internet bore.pub:4711",
		"bore local --local-host 127.0.0.1 --to build.lan 8000":      "bore 127.0.0.1:8000 host build.lan",
		"bore server": "",
		"zrok share public http://localhost:8080":                  "zrok localhost:8080 internet",
		"zrok share public --headless 8080":                        "zrok :8080 internet",
		"zrok share private --backend-mode tcpTunnel localhost:22": "zrok localhost:22 account",
		"zrok share public --backend-mode web /srv/www":            "",
		"code tunnel":                                                       "no tunnel",
		"bash -c ngrok\x01http\x018080":                                     "no tunnel",
		"ngrok http " + strings.Repeat("8", 70000):                          "",
		"ngrok http 8080 --url https://x\u202e.example.org":                 "ngrok :8080 internet",
		"ngrok http 8080 --url https://ann:hunter2@x.example.org/p?token=1": "ngrok :8080 internet https://x.example.org",
		"ngrok http 8080 --url javascript://alert":                          "ngrok :8080 internet",
	} {
		words := strings.Split(command, " ")
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "\x01", " ")
		}
		if got := describe(words...); got != want {
			t.Errorf("%.90q: got %q, want %q", command, got, want)
		}
	}
	if got := describe(); got != "no tunnel" {
		t.Errorf("no command line: got %q", got)
	}
}

// No form of a command line, and no configuration file, ends in a panic.
func FuzzCommandLine(f *testing.F) {
	f.Add("ssh -R [::1", "ingress: [")
	f.Add("ngrok start -- --all", "tunnels: {a: {addr: 80}}")
	f.Fuzz(func(t *testing.T, line, file string) {
		for _, p := range programs {
			args := strings.Split(line, " ")
			for _, found := range p.parse(args) {
				if found.target.port == 0 {
					t.Errorf("%s %q: port 0", p.title, line)
				}
			}
			if p.file != nil {
				p.file(args)
				p.read(args, []byte(file))
			}
		}
	})
}

func TestConfigurationFiles(t *testing.T) {
	for _, test := range []struct{ command, text, path, want string }{
		{"cloudflared tunnel --config /c.yml run", "tunnel: 6ff42ae2\ningress:\n  - hostname: shop.example.com\n    service: http://localhost:8000\n  - service: http_status:404\n", "/c.yml", "localhost:8000 https://shop.example.com"},
		{"cloudflared tunnel --config=/c.yml run", "url: http://localhost:3000", "/c.yml", "localhost:3000 "},
		{"cloudflared tunnel --config /c.yml run", "ingress: 3", "/c.yml", ""},
		{"ngrok start --config n.yml web", "version: 2\ntunnels:\n  web: {addr: 8080, proto: http, domain: a.ngrok.app}\n  ssh: {addr: 22, proto: tcp}\n", "n.yml", ":8080 https://a.ngrok.app"},
		{"ngrok start --config n.yml --all", "version: 3\nendpoints:\n  - name: a\n    url: https://a.ngrok.app\n    upstream: {url: 'http://localhost:8080'}\n", "n.yml", "localhost:8080 https://a.ngrok.app"},
		{"ngrok start --config n.yml --all", "\x00", "n.yml", ""},
		{"ngrok http --config n.yml 80", "", "", ""},
	} {
		p, args, _ := recognise(strings.Fields(test.command))
		if path := p.file(args); path != test.path {
			t.Errorf("%s: got the file %q, want %q", test.command, path, test.path)
		}
		got := ""
		for _, f := range p.read(args, []byte(test.text)) {
			got += fmt.Sprintf("%s:%d %s", f.target.host, f.target.port, f.url)
		}
		if test.path != "" && got != test.want {
			t.Errorf("%s with %q: got %q, want %q", test.command, test.text, got, test.want)
		}
	}
}

func TestReaches(t *testing.T) {
	listener := func(addresses ...string) *monitor.Listener {
		l := &monitor.Listener{Protocol: monitor.TCP, Port: 8080}
		for _, a := range addresses {
			l.Sockets = append(l.Sockets, monitor.HeldSocket{Socket: monitor.Socket{Address: netip.MustParseAddr(a)}})
		}
		return l
	}
	own := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	for _, test := range []struct {
		target  string
		l       *monitor.Listener
		foreign bool
		want    bool
	}{
		{"8080", listener("127.0.0.1"), false, true},
		{"8081", listener("127.0.0.1"), false, false},
		{"8080", listener("127.0.0.1"), true, false},
		{"localhost:8080", listener("::1"), false, true},
		{"127.0.0.1:8080", listener("::1"), false, false},
		{"127.0.0.1:8080", listener("::"), false, true},
		{"[::1]:8080", listener("0.0.0.0"), false, false},
		{"0.0.0.0:8080", listener("127.0.0.1"), false, true},
		{"localhost:8080", listener("192.0.2.7"), false, false},
		{"192.0.2.7:8080", listener("192.0.2.7"), false, true},
		{"192.0.2.7:8080", listener("0.0.0.0"), true, true},
		{"192.0.2.7:8080", listener("127.0.0.1"), false, false},
		{"192.0.2.8:8080", listener("0.0.0.0"), false, false},
		{"shop.example.com:8080", listener("0.0.0.0"), false, false},
	} {
		target, ok := parseTarget(test.target)
		if !ok {
			t.Fatalf("can't parse %q", test.target)
		}
		if got := target.reaches(test.l, test.foreign, own); got != test.want {
			t.Errorf("%s reaches %v (foreign %v): got %v, want %v", test.target, test.l.Sockets[0].Address, test.foreign, got, test.want)
		}
	}
	udp := listener("0.0.0.0")
	udp.Protocol = monitor.UDP
	if target, _ := parseTarget("8080"); target.reaches(udp, false, own) {
		t.Error("a UDP socket is reached")
	}
}

// The answers of tailscaled, as ipn/serve.go defines them: serve and funnel of one machine,
// in the background and in the foreground.
func TestServeConfig(t *testing.T) {
	for text, want := range map[string]string{
		`null`: "",
		`{}`:   "",
		`{"TCP":{"443":{"HTTPS":true}},"Web":{"shop.tail1.ts.net:443":{"Handlers":{"/":{"Proxy":"http://127.0.0.1:3000"},"/text":{"Text":"hi"}}}}}`:                          "tailscale serve 127.0.0.1:3000 tailnet https://shop.tail1.ts.net",
		`{"TCP":{"443":{"HTTPS":true}},"Web":{"shop.tail1.ts.net:443":{"Handlers":{"/":{"Proxy":"http://127.0.0.1:3000"}}}},"AllowFunnel":{"shop.tail1.ts.net:443":true}}`:   "tailscale funnel 127.0.0.1:3000 internet https://shop.tail1.ts.net",
		`{"TCP":{"8443":{"HTTPS":true}},"Web":{"shop.tail1.ts.net:8443":{"Handlers":{"/":{"Proxy":"http://127.0.0.1:3000"}}}},"AllowFunnel":{"shop.tail1.ts.net:443":true}}`: "tailscale serve 127.0.0.1:3000 tailnet https://shop.tail1.ts.net:8443",
		`{"TCP":{"10000":{"TCPForward":"127.0.0.1:5432"}},"AllowFunnel":{"shop.tail1.ts.net:10000":true}}`:                                                                   "tailscale funnel 127.0.0.1:5432 internet tcp://shop.tail1.ts.net:10000",
		`{"TCP":{"2222":{"TCPForward":"127.0.0.1:22"}}}`: "tailscale serve 127.0.0.1:22 tailnet",
		`{"Foreground":{"8f":{"TCP":{"443":{"HTTPS":true}},"Web":{"shop.tail1.ts.net:443":{"Handlers":{"/":{"Proxy":"http://localhost:3000"}}}},"AllowFunnel":{"shop.tail1.ts.net:443":true}}}}`: "tailscale funnel localhost:3000 internet https://shop.tail1.ts.net",
	} {
		if got := serveForwards(t, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func serveForwards(t *testing.T, text string) string {
	t.Helper()
	var c *serveConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, f := range c.forwards(1) {
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s:%d %s %s", f.title, f.target.host, f.target.port, f.reach, f.url)))
	}
	return strings.Join(texts, ", ")
}
