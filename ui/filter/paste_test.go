package filter

import (
	"strconv"
	"testing"

	"porthole/monitor/explain"
)

func portOf(t explain.Target, ok bool) string {
	if !ok {
		return ""
	}
	return strconv.Itoa(int(t.Port))
}

// TestPastedTarget uses the messages exactly as the named programs print them.
func TestPastedTarget(t *testing.T) {
	for text, want := range map[string]string{
		// URLs.
		"http://localhost:3000/":    "3000",
		"http://localhost":          "80",
		"port 7777":                 "7777",
		"Port: 7777":                "7777",
		"https://127.0.0.1/a/b?c=d": "443",
		"ws://[::1]:9229/5b1c-4d":   "9229",
		"postgres://ada:secret@localhost:5433/shop?sslmode=off":   "5433",
		"postgresql://localhost/shop":                             "5432",
		"jdbc:mysql://localhost:3307/shop":                        "3307",
		"redis://localhost":                                       "6379",
		"unknown://localhost":                                     "",
		"➜  Local:   http://localhost:5173/":                      "5173", // Vite
		"Debugger listening on ws://127.0.0.1:9229/16b8":          "9229", // Node
		"see https://example.test/port for more":                  "",
		"Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C)": "8000",
		// Servers that could not start.
		"Error: listen EADDRINUSE: address already in use :::3000":        "3000", // Node
		"Error: listen EADDRINUSE: address already in use 127.0.0.1:3000": "3000",
		"EADDRINUSE :::3000": "3000",
		"2026/11/26 10:00:01 listen tcp 127.0.0.1:3000: bind: address already in use":                                                   "3000", // Go
		"listen tcp :8080: bind: address already in use":                                                                                "8080",
		"listen tcp 127.0.0.1:3000: bind: Only one usage of each socket address (protocol/network address/port) is normally permitted.": "3000",
		"Port 3000 is already in use":                                                                    "3000",
		"Port 5173 is in use, trying another one...":                                                     "5173", // Vite
		"Something is already running on port 3000.":                                                     "3000", // Create React App
		"Web server failed to start. Port 8080 was already in use.":                                      "8080", // Spring Boot
		"Address already in use - bind(2) for \"127.0.0.1\" port 3000 (Errno::EADDRINUSE)":               "3000", // Ruby
		"OSError: [Errno 98] Address already in use: ('127.0.0.1', 3000)":                                "3000", // Python
		"[Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use": "8000", // asyncio
		"nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)":                        "80",
		"nginx: [emerg] bind() to [::]:443 failed (98: Address already in use)":                          "443",
		"Error response from daemon: Bind for 0.0.0.0:3000 failed: port is already allocated":            "3000", // Docker
		"Warning: Could not create server TCP listening socket *:6379: bind: Address already in use":     "6379", // Redis
		"Failed to bind to address http://127.0.0.1:5000: address already in use.":                       "5000", // .NET
		"Is another postmaster already running on port 5432? If not, wait a few seconds and retry.":      "5432",
		// Clients that could not connect.
		"Error: connect ECONNREFUSED 127.0.0.1:5432":                                        "5432",
		"curl: (7) Failed to connect to localhost port 8080 after 0 ms: Connection refused": "8080",
		"dial tcp [::1]:6379: connect: connection refused":                                  "6379",
		// Text without a port.
		"Error: That port is already in use.": "",
		"in use":                              "",
		"node bind":                           "",
		"10:20:30 in use":                     "",
		"bind 8080":                           "",
		"":                                    "",
	} {
		if got := portOf(pastedTarget(text)); got != want {
			t.Errorf("%q: got port %q, want %q", text, got, want)
		}
	}
}

func TestWordTarget(t *testing.T) {
	for word, want := range map[string]string{
		"localhost:3000": "3000", "127.0.0.1:80": "80", "[::1]:3000": "3000", "[::]:3000": "3000", "*:3000": "3000", ":::3000": "3000",
		"0.0.0.0.3000": "3000", "*.3000": "3000", // the format of BSD's netstat
		"localhost:3000/path?x=1": "3000", "localhost:3000,": "3000", "app.local:8080": "8080", "host.docker.internal:5432": "5432",
		"postgres:16": "", "localhost": "", "localhost:": "", "localhost:123456": "", "127.0.0.1": "", "::1": "", "a:b:3000": "", "node": "", "app.local.8080": "",
	} {
		if got := portOf(wordTarget(word)); got != want {
			t.Errorf("%q: got port %q, want %q", word, got, want)
		}
	}
}
