package explain

import (
	"strings"
	"testing"

	"porthole/monitor"
)

// pasted are lines of the named programs, with the address and port that they are
// about. Those under "produced by" were copied from the output of the program, with the
// ports as they were. Those under "from memory" were not: today's programs may print
// other words.
var pasted = map[string]map[string]string{
	"produced by node 20": {
		"Error: listen EADDRINUSE: address already in use 127.0.0.1:28480": "127.0.0.1:28480",
		"Error: listen EADDRINUSE: address already in use ::1:28481":       "[::1]:28481",
		"Error: listen EADDRINUSE: address already in use :::28480":        "[::]:28480",
		"Error: connect ECONNREFUSED ::1:28499":                            "[::1]:28499",
		"Error: connect ECONNREFUSED 127.0.0.1:28499\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)\nEmitted 'error' event on Socket instance at:\n    at emitErrorNT (node:internal/streams/destroy:169:8)":                                "127.0.0.1:28499",
		"  errno: -111,\n  code: 'ECONNREFUSED',\n  syscall: 'connect',\n  address: '::1',\n  port: 28499\n}\n\nNode.js v20.20.2":                                                                                                                                   "[::1]:28499",
		"TypeError: fetch failed\n    at node:internal/deps/undici/undici:14976:13\n  [cause]: Error: connect ECONNREFUSED 127.0.0.1:28499\n      at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {\n    errno: -111,\n    address: '127.0.0.1',": "127.0.0.1:28499",
	},
	"produced by Go 1.26": {
		"listen tcp 127.0.0.1:18180: bind: address already in use":                                        "127.0.0.1:18180",
		"listen tcp4 :18180: bind: address already in use":                                                "18180",
		"dial tcp [::1]:18199: connect: connection refused":                                               "[::1]:18199",
		`Get "http://localhost:18199/x": dial tcp 127.0.0.1:18199: connect: connection refused`:           "127.0.0.1:18199",
		"read tcp 127.0.0.1:37836->127.0.0.1:18180: read: connection reset by peer":                       "127.0.0.1:18180",
		`Get "http://example.com:8080/x": dial tcp: lookup example.com on 10.255.255.53:53: no such host`: "example.com 8080",
		"dial tcp: lookup nosuch on 10.255.255.53:53: no such host":                                       "",
		"listen udp: address 99999: invalid port":                                                         "",
	},
	"produced by Python 3": {
		"OSError: [Errno 98] Address already in use":                                                                                                                "",
		"OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 28480): address already in use":                                                "127.0.0.1:28480",
		"OSError: [Errno 98] error while attempting to bind on address ('::1', 28481, 0, 0): address already in use":                                                "[::1]:28481",
		"ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 28499)":                                                                              "127.0.0.1:28499",
		"urllib.error.URLError: <urlopen error [Errno 111] Connection refused>":                                                                                     "",
		"urllib3.exceptions.NewConnectionError: HTTPConnection(host='localhost', port=28499): Failed to establish a new connection: [Errno 111] Connection refused": "localhost:28499",
		"requests.exceptions.ConnectionError: HTTPConnectionPool(host='localhost', port=28499): Max retries exceeded with url: / (Caused by NewConnectionError(\"HTTPConnection(host='localhost', port=28499): Failed to establish a new connection: [Errno 111] Connection refused\"))": "localhost:28499",
	},
	"produced by Java 21": {
		"java.net.BindException: Address already in use": "",
		"localhost/127.0.0.1:18299":                      "127.0.0.1:18299",
		"/[0:0:0:0:0:0:0:1]:18299":                       "[::1]:18299",
		"0.0.0.0/0.0.0.0:18299":                          "0.0.0.0:18299",
	},
	"produced by curl 7.88": {
		"curl: (7) Failed to connect to localhost port 28499 after 0 ms: Couldn't connect to server":                                                                                                              "localhost:28499",
		"curl: (7) Failed to connect to ::1 port 28499 after 0 ms: Couldn't connect to server":                                                                                                                    "[::1]:28499",
		"*   Trying 127.0.0.1:28499...\n* connect to 127.0.0.1 port 28499 failed: Connection refused\n* Failed to connect to 127.0.0.1 port 28499 after 0 ms: Couldn't connect to server\n* Closing connection 0": "127.0.0.1:28499",
	},
	"produced by wget 1.21": {
		"--2026-11-30 11:06:36--  http://localhost:28499/\nResolving localhost (localhost)... 127.0.0.1\nConnecting to localhost (localhost)|127.0.0.1|:28499... failed: Connection refused.": "127.0.0.1:28499",
		"--2026-11-30 11:06:36--  http://127.0.0.1:28499/x":            "127.0.0.1:28499",
		"Connecting to 127.0.0.1:28499... failed: Connection refused.": "127.0.0.1:28499",
	},
	"produced by OpenSSH 9.2": {
		"ssh: connect to host localhost port 28499: Connection refused": "localhost:28499",
		"ssh: connect to host ::1 port 28499: Connection refused":       "[::1]:28499",
	},
	"produced by PostgreSQL 15": {
		`psql: error: connection to server at "localhost" (127.0.0.1), port 28499 failed: Connection refused`:                                                                                                                                                "127.0.0.1:28499",
		"psql: error: connection to server at \"::1\", port 28499 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?":                                                                                        "[::1]:28499",
		"2026-11-30 11:07:03.826 UTC [22485] LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n2026-11-30 11:07:03.826 UTC [22485] HINT:  Is another postmaster already running on port 28480? If not, wait a few seconds and retry.": "127.0.0.1:28480",
		`2026-11-30 11:07:03.826 UTC [22485] LOG:  could not bind IPv4 address "127.0.0.1": Address already in use`:                                                                                                                                          "",
	},
	"produced by nginx 1.22": {
		"2026/11/30 11:06:57 [emerg] 20901#20901: bind() to 127.0.0.1:28480 failed (98: Address already in use)": "127.0.0.1:28480",
		"2026/11/30 11:06:57 [emerg] 20901#20901: bind() to [::1]:28481 failed (98: Address already in use)":     "[::1]:28481",
	},
	"produced by Apache 2.4": {
		"(98)Address already in use: AH00072: make_sock: could not bind to address 127.0.0.1:28480":                                                                                  "127.0.0.1:28480",
		"AH00558: apache2: Could not reliably determine the server's fully qualified domain name, using 127.0.0.1. Set the 'ServerName' directive globally to suppress this message": "",
	},
	"produced by Redis 7": {
		"21175:M 30 Nov 2026 11:06:58.778 # Warning: Could not create server TCP listening socket 127.0.0.1:28480: bind: Address already in use": "127.0.0.1:28480",
		"21175:M 30 Nov 2026 11:06:58.779 # Failed listening on port 28480 (TCP), aborting.":                                                     "28480",
		"Could not connect to Redis at 127.0.0.1:28499: Connection refused":                                                                      "127.0.0.1:28499",
		"21175:M 30 Nov 2026 11:06:58.775 * monotonic clock: POSIX clock_gettime":                                                                "",
	},
	"produced by Ruby 3.1": {
		"-e:1:in `initialize': Address already in use - bind(2) for \"127.0.0.1\" port 28480 (Errno::EADDRINUSE)":                                                                                  "127.0.0.1:28480",
		"/usr/lib/ruby/3.1.0/socket.rb:1214:in `__connect_nonblock': Failed to open TCP connection to localhost:28499 (Connection refused - connect(2) for 127.0.0.1:28499) (Errno::ECONNREFUSED)": "localhost:28499",
	},
	"produced by PHP 8.2": {
		"[Mon Nov 30 11:06:59 2026] Failed to listen on 127.0.0.1:28480 (reason: Address already in use)":                                      "127.0.0.1:28480",
		"PHP Warning:  stream_socket_client(): Unable to connect to tcp://localhost:28499 (Connection refused) in Command line code on line 1": "localhost:28499",
		"PHP Warning:  fsockopen(): Unable to connect to 127.0.0.1:28499 (Connection refused) in Command line code on line 1":                  "127.0.0.1:28499",
	},
	"produced by netcat": {"nc: connect to 127.0.0.1 port 28499 (tcp) failed: Connection refused": "127.0.0.1:28499", "nc: Address already in use": ""},
	"produced by docker": {"Cannot connect to the Docker daemon at tcp://127.0.0.1:28499. Is the docker daemon running?": "127.0.0.1:28499"},
	"produced by ss, netstat and lsof": {
		"LISTEN 0      128        127.0.0.1:28480      0.0.0.0:*          ":                                                          "127.0.0.1:28480",
		"LISTEN 0      128            [::1]:28481         [::]:*          ":                                                          "[::1]:28481",
		"State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\nLISTEN 0      128          0.0.0.0:2024       0.0.0.0:*": "0.0.0.0:2024",
		"tcp        0      0 127.0.0.1:28480         0.0.0.0:*               LISTEN      12738/python3       ":                       "127.0.0.1:28480",
		"tcp6       0      0 ::1:28481               :::*                    LISTEN      12738/python3       ":                       "[::1]:28481",
		"python3 12738 root    3u  IPv4 441694      0t0  TCP 127.0.0.1:28480 (LISTEN)":                                               "127.0.0.1:28480",
		"python3 12738 root    4u  IPv6 441695      0t0  TCP [::1]:28481 (LISTEN)":                                                   "[::1]:28481",
	},
	"from memory: ss, netstat, lsof": {
		`LISTEN 0 511 *:3000 *:* users:(("node",pid=4711,fd=20))`:                         "3000",
		"LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*":                                        "127.0.0.53:53",
		"UNCONN 0 0 [fe80::1%eth0]:546 [::]:*":                                            "[fe80::1%eth0]:546",
		"ESTAB 0 0 127.0.0.1:51234 127.0.0.1:3000":                                        "127.0.0.1:3000",
		"node 4711 dana 20u IPv6 123456 0t0 TCP *:3000 (LISTEN)":                          "3000",
		"curl 4712 dana 5u IPv4 12 0t0 TCP 127.0.0.1:51234->127.0.0.1:3000 (ESTABLISHED)": "127.0.0.1:3000",
		"tcp4       0      0  127.0.0.1.3000         *.*                    LISTEN":       "127.0.0.1:3000",
		"tcp46      0      0  *.3000                 *.*                    LISTEN":       "3000",
		"tcp6       0      0  ::1.3000               *.*                    LISTEN":       "[::1]:3000",
		"  TCP    [::]:135               [::]:0                 LISTENING       888":      "[::]:135",
	},
	"from memory: JavaScript tools": {
		"Port 5173 is in use, trying another one...":                                                                                                        "5173",           // Vite
		"Error: Port 5173 is already in use":                                                                                                                "5173",           // Vite, strictPort
		"  ➜  Local:   http://localhost:5173/":                                                                                                              "localhost:5173", // Vite
		"\x1b[31mError: listen EADDRINUSE: address already in use :::\x1b[1m3000\x1b[0m":                                                                    "[::]:3000",      // with colors
		" ⚠ Port 3000 is in use by process 4711, using available port 3001 instead.":                                                                        "3000",           // Next.js
		"Something is already running on port 3000.":                                                                                                        "3000",           // Create React App
		"Port 4200 is already in use. Use '--port' to specify a different port.":                                                                            "4200",           // Angular
		"<e> [webpack-dev-server] Error: listen EADDRINUSE: address already in use 0.0.0.0:8080":                                                            "0.0.0.0:8080",   // webpack
		"This port was picked because 3000 is in use.":                                                                                                      "3000",           // serve
		"AggregateError [ECONNREFUSED]: \n Error: connect ECONNREFUSED ::1:3000\n Error: connect ECONNREFUSED 127.0.0.1:3000":                               "localhost:3000",
		"MongoServerSelectionError: connect ECONNREFUSED ::1:27017, connect ECONNREFUSED 127.0.0.1:27017":                                                   "localhost:27017",
		"Error: connect ECONNREFUSED ::ffff:127.0.0.1:8080":                                                                                                 "[::ffff:127.0.0.1]:8080",
		"Error: 14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:50051":                                                "127.0.0.1:50051", // grpc-js
		"Debugger listening on ws://127.0.0.1:9229/16b8c7f4-7c4c":                                                                                           "127.0.0.1:9229",
		`{"errno":-98,"code":"EADDRINUSE","syscall":"listen","address":"127.0.0.1","port":3000}`:                                                            "127.0.0.1:3000",
		"[vite] http proxy error: /api\nError: connect ECONNREFUSED 127.0.0.1:8000\n    at file:///srv/app/node_modules/vite/dist/node/chunks/dep.js:12:34": "127.0.0.1:8000",
	},
	"from memory: Python frameworks": {
		"ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use":                                          "0.0.0.0:8000",   // uvicorn
		"Address already in use\nPort 5000 is in use by another program. Either identify and stop that program, or start the server with a different port.": "5000",           // Flask
		"[2026-11-26 10:20:30 +0000] [4711] [ERROR] Connection in use: ('127.0.0.1', 8000)":                                                                 "127.0.0.1:8000", // gunicorn
		"Error: That port is already in use.":                                                                                                    "", // Django
		"OSError: [Errno 98] Address already in use: ('', 8000)":                                                                                 "8000",
		"Cannot connect to host localhost:8000 ssl:default [Connect call failed ('127.0.0.1', 8000)]":                                            "127.0.0.1:8000", // aiohttp
		"OSError: Multiple exceptions: [Errno 111] Connect call failed ('::1', 8000, 0, 0), [Errno 111] Connect call failed ('127.0.0.1', 8000)": "localhost:8000",
		"consumer: Cannot connect to amqp://guest:**@127.0.0.1:5672//: [Errno 111] Connection refused.":                                          "127.0.0.1:5672", // Celery
		"  File \"/srv/app/server.py\", line 456, in server_bind\nOSError: [Errno 98] Address already in use":                                    "",
	},
	"from memory: Java": {
		"Web server failed to start. Port 8080 was already in use.":                                                             "8080", // Spring Boot
		"Connect to localhost:8080 [localhost/127.0.0.1, localhost/0:0:0:0:0:0:0:1] failed: Connection refused":                 "localhost:8080",
		"java.io.IOException: Failed to bind to /127.0.0.1:8080":                                                                "127.0.0.1:8080", // Jetty
		"io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: localhost/127.0.0.1:6379":              "127.0.0.1:6379",
		"org.postgresql.util.PSQLException: Connection to localhost:5432 refused. Check that the hostname and port are correct": "localhost:5432",
		"java.rmi.server.ExportException: Port already in use: 1099; nested exception is:":                                      "1099",
		"Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Broker may not be available.":               "127.0.0.1:9092", // Kafka
		"Exception opening socket {address=localhost:27017, type=UNKNOWN, state=CONNECTING}":                                    "localhost:27017",
		"The Tomcat connector configured to listen on port 8080 failed to start.":                                               "8080",
		"Connection refused: /0:0:0:0:0:0:0:1:8080":                                                                             "[::1]:8080",
		"\tat com.example.Main.main(Main.java:1234)":                                                                            "",
	},
	"from memory: Rust, .NET, Elixir": {
		`Os { code: 98, kind: AddrInUse, message: "Address already in use" }`:                                                                                 "",
		"thread 'main' panicked at src/main.rs:12:51:\nerror binding to 127.0.0.1:3000: error creating server listener: Address already in use (os error 98)": "127.0.0.1:3000",
		"error sending request for url (http://localhost:3000/api): error trying to connect: tcp connect error: Connection refused (os error 111)":            "localhost:3000",
		"Failed to bind to address http://127.0.0.1:5000: address already in use.":                                                                            "127.0.0.1:5000", // Kestrel
		"Unable to bind to http://[::1]:5000 on the IPv6 loopback interface: 'Address already in use'.":                                                       "[::1]:5000",
		"System.Net.Http.HttpRequestException: Connection refused (localhost:5001)":                                                                           "localhost:5001",
		"[error] Running ShopWeb.Endpoint with Bandit 1.5.7 at http failed, port 4000 already in use":                                                         "4000",
		"** (DBConnection.ConnectionError) tcp connect (localhost:5432): connection refused - :econnrefused":                                                  "localhost:5432",
		"Failed to start Ranch listener ShopWeb.Endpoint.HTTP in :ranch_tcp:listen([cacerts: :..., ip: {127, 0, 0, 1}, port: 4000]) for reason :eaddrinuse":   "4000",
	},
	"from memory: servers and containers": {
		"nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)":                                     "0.0.0.0:80",
		"(98)Address already in use: AH00072: make_sock: could not bind to address [::]:80":                           "[::]:80",
		"Error response from daemon: Bind for 0.0.0.0:8080 failed: port is already allocated":                         "0.0.0.0:8080",
		"failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use":                         "0.0.0.0:8080",
		"Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use":                       "0.0.0.0:8080",
		`0123456789ab   web   "nginx -g"   2 hours ago   Up 2 hours   0.0.0.0:8080->80/tcp, [::]:8080->80/tcp   shop`: "8080",
		"Warning: Could not create server TCP listening socket *:6379: bind: Address already in use":                  "6379",
		"[ALERT]    (1) : Starting frontend web: cannot bind socket (Address already in use) [127.0.0.1:80]":          "127.0.0.1:80",   // HAProxy
		"error: Bind to port 22 on 0.0.0.0 failed: Address already in use.":                                           "0.0.0.0:22",     // sshd
		"bind [127.0.0.1]:8080: Address already in use":                                                               "127.0.0.1:8080", // ssh -L
		"channel_setup_fwd_listener_tcpip: cannot listen to port: 8080":                                               "8080",
		`2026/11/26 10:20:30 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9, server: , request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:3000/", host: "localhost:8080"`: "127.0.0.1:3000",
		"Nov 26 10:20:30 box node[4711]: Error: listen EADDRINUSE: address already in use :::3000":                                                                                                                                       "[::]:3000",
		"web.socket: Failed to create listening socket (127.0.0.1:8080): Address already in use":                                                                                                                                         "127.0.0.1:8080", // systemd
		"Failed to start TCP listener [::]:5672, error: eaddrinuse (address already in use)":                                                                                                                                             "[::]:5672",      // RabbitMQ
		"failed to listen on TCP port 11211: Address already in use":                                                                                                                                                                     "11211",          // memcached
		"ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:3306' (111)":                                                                                                                                                    "127.0.0.1:3306",
		"[ERROR] [MY-010257] [Server] Do you already have another mysqld server running on port: 3306 ?":                                                                                                                                 "3306",
		"SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, Host: 127.0.0.1, Port: 3306, Database: shop)":                                                                                                                     "127.0.0.1:3306", // Laravel
		"SQLSTATE[HY000] [2002] Connection refused":                                                                                                                                                                                      "",
		`could not connect to server: Connection refused Is the server running on host "localhost" (::1) and accepting TCP/IP connections on port 5432?`:                                                                                 "[::1]:5432", // psql 12
		"Unable to listen on port 8080: Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4 127.0.0.1:8080: bind: address already in use unable to create listener: Error listen tcp6 [::1]:8080: bind: address already in use]": "localhost:8080", // kubectl
		"The connection to the server localhost:8080 was refused - did you specify the right host or port?":                                                          "localhost:8080",
		"error forwarding port 5432 to pod 0123abcd, uid : exit status 1: 2026/11/26 10:20:30 socat[1234] E connect(5, AF=2 127.0.0.1:5432, 16): Connection refused": "127.0.0.1:5432",
		`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:50051: connect: connection refused"`:      "127.0.0.1:50051",
		"failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:50051: Failed to connect to remote host: connect: Connection refused (111)":         "127.0.0.1:50051",
		"last error: UNKNOWN: ipv6:%5B::1%5D:50051: Failed to connect to remote host":                                                                                "[::1]:50051",
		"Could not connect to Redis at redis:6379: Name or service not known":                                                                                        "redis 6379",
		"curl: (7) Failed to connect to db.example.com port 443 after 3 ms: Couldn't connect to server":                                                              "db.example.com 443",
	},
	"from memory: browsers": {
		"localhost:3000 refused to connect.":                                    "localhost:3000",
		"GET http://localhost:8080/api/cart net::ERR_CONNECTION_REFUSED":        "localhost:8080",
		"GET http://127.0.0.1/ net::ERR_CONNECTION_REFUSED":                     "127.0.0.1:80",
		"Firefox can’t establish a connection to the server at localhost:3000.": "localhost:3000",
		"WebSocket connection to 'ws://[::1]:5173/?token=a1' failed":            "[::1]:5173",
		"localhost refused to connect.":                                         "",
		"app.js:42 Uncaught TypeError: Failed to fetch":                         "",
	},
	"made up": {
		"see main.go:42 and https://docs.example.com/port":                      "",
		"10.0.0.9 - - [26/Nov/2026:10:20:30 +0000] \"GET / HTTP/1.1\" 200 1234": "",
		"10:20:30 in use": "",
		"node v18.17.0 (pid 4711) exited with code 1":               "",
		"Accepted publickey for dana from 10.0.0.5 port 52344 ssh2": "",
		"error in /srv/app/connect/server.ts:1234":                  "",
		"connect to server.ts:1234":                                 "",
		"transport: 14 viewport 800 report 500":                     "",
		"port 70000 is in use":                                      "",
		"eth0: 00:1a:2b:3c:4d:5e":                                   "",
		"version 1.2.3.4.5":                                         "",
		"std::bind 8080":                                            "",
		"3000/tcp open  ppp":                                        "3000",
		"pulled postgres:16 and redis:7":                            "",
		"port: 3000":                                                "3000",
		"--port=3000 --pid 4711":                                    "3000",
	},
}

func TestFind(t *testing.T) {
	for source, lines := range pasted {
		for text, want := range lines {
			f, ok := Find(text)
			got := f.String()
			if f.Host != "" {
				got = f.Host + " " + got
			}
			if !ok && got != "" || got != want {
				t.Errorf("%s: %q:\ngot %q, want %q", source, text, got, want)
			}
		}
	}
}

// Parse takes every pasted line, and its error names what is missing.
func TestParseLine(t *testing.T) {
	for text, want := range map[string]string{
		"Error: connect ECONNREFUSED ::1:8080":                "[::1]:8080",
		"::1:8080":                                            "[::1]:8080",
		"localhost/127.0.0.1:8080":                            "127.0.0.1:8080",
		"127.0.0.1:3000,":                                     "127.0.0.1:3000",
		"Error: That port is already in use.":                 "no port found",
		"Could not connect to Redis at redis:6379: not known": "redis:6379: other host names than localhost are not resolved",
	} {
		target, err := Parse(text)
		if err == nil && target.String() != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v; want %q", text, target, err, want)
		}
	}
}

// What Find returns can be read again, and is safe to display.
func FuzzFind(f *testing.F) {
	for _, lines := range pasted {
		for text := range lines {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := Find(text)
		if ok == (found.Port == 0) {
			t.Fatalf("%q: got %+v, %v", text, found, ok)
		}
		if !ok {
			return
		}
		if again, err := Parse(found.String()); err != nil || again != found.Target {
			t.Errorf("%q: got %+v, formatted %q, parsed again %+v, %v", text, found, found, again, err)
		}
		if found.Host != monitor.Clean(found.Host, 253) {
			t.Errorf("%q: %q is not safe to display", text, found.Host)
		}
	})
}
