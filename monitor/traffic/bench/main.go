// Command bench compares a tap and a capture of Porthole with programs that forward and
// capture: mitmproxy in reverse mode, socat, and nginx as a plain proxy, all in one run.
// See packaging/bench-traffic.sh.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	porthole  string
	out       string
	duration  time.Duration // of each load
	exchanges int           // of the measurement of memory
	patience  time.Duration // after which the measurement of memory ends with fewer exchanges
	packets   int           // a second, for the capture
	only      string        // the part to measure: forward, memory or capture; "" for all
}

func main() {
	var o options
	flag.StringVar(&o.porthole, "porthole", "build/porthole", "the program to measure")
	flag.StringVar(&o.out, "out", "build/traffic.md", "the file to write")
	flag.DurationVar(&o.duration, "duration", 4*time.Second, "how long each load takes")
	flag.IntVar(&o.exchanges, "exchanges", 1_000_000, "after how many exchanges the memory is measured")
	flag.DurationVar(&o.patience, "patience", 3*time.Minute, "how long the exchanges for the memory may take; on a slow machine there are fewer")
	flag.IntVar(&o.packets, "packets", 200_000, "how many packets a second are captured")
	flag.StringVar(&o.only, "only", "", "measure one part: forward, memory or capture")
	serve := flag.Bool("serve", false, "be the server")
	flag.Parse()
	if *serve {
		if err := serveAll(); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

// forwarder is a program that forwards connections to the server.
type forwarder struct {
	name string
	// command returns the command that listens on port and forwards to target; nil if
	// the program is not installed.
	command func(folder string, port, target int) []string
	bulk    bool // it forwards TCP, not only HTTP
	cmd     *exec.Cmd
	folder  string // of its configuration; stop removes it
	port    int
	err     error
}

// forwarders are the programs that are compared.
func forwarders(porthole string) []*forwarder {
	at := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	return []*forwarder{
		{name: "direct", bulk: true},
		{name: "porthole tap", bulk: true, command: func(_ string, port, target int) []string {
			return []string{porthole, "tap", strconv.Itoa(target), "--listen", strconv.Itoa(port)}
		}},
		{name: "nginx", command: func(folder string, port, target int) []string {
			conf := filepath.Join(folder, "nginx.conf")
			if err := os.WriteFile(conf, []byte(nginxConf(folder, at(port), at(target))), 0o600); err != nil {
				log.Fatal(err)
			}
			return []string{"nginx", "-p", folder, "-c", conf, "-g", "daemon off;"}
		}},
		{name: "socat", bulk: true, command: func(_ string, port, target int) []string {
			return []string{"socat", "TCP-LISTEN:" + strconv.Itoa(port) + ",bind=127.0.0.1,fork,reuseaddr", "TCP:" + at(target)}
		}},
		{name: "mitmproxy", command: func(folder string, port, target int) []string {
			return []string{"mitmdump", "-q", "--set", "confdir=" + folder, "--mode", "reverse:http://" + at(target), "--listen-host", "127.0.0.1", "-p", strconv.Itoa(port)}
		}},
	}
}

// nginxConf is the configuration of a plain proxy that keeps connections to the server.
func nginxConf(folder, listen, target string) string {
	return fmt.Sprintf(`worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	keepalive_requests 100000000;
	upstream server { server %[3]s; keepalive 64; keepalive_requests 100000000; }
	server {
		listen %[2]s;
		location / { proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection ""; }
	}
}
`, folder, listen, target)
}

// startTime is how long a program may take until it accepts connections.
const startTime = time.Minute

// start starts the program, and waits until it accepts connections.
func (f *forwarder) start(target int) error {
	if f.command == nil {
		f.port = target
		return nil
	}
	var err error
	if f.folder, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	f.port = freePort()
	words := f.command(f.folder, f.port, target)
	path, err := exec.LookPath(words[0])
	if err != nil {
		return fmt.Errorf("%s is not installed", words[0])
	}
	f.cmd = exec.Command(path, words[1:]...)
	f.cmd.Dir = f.folder
	if words[0] == "mitmdump" {
		f.cmd.Env = append(os.Environ(), "HOME="+f.folder)
	}
	if err := f.cmd.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.port)))
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			f.stop()
			return fmt.Errorf("%s does not accept connections: %w", f.name, err)
		}
	}
}

// stop ends the program.
func (f *forwarder) stop() {
	if f.folder != "" {
		defer os.RemoveAll(f.folder)
	}
	if f.cmd == nil || f.cmd.Process == nil {
		return
	}
	_ = f.cmd.Process.Signal(os.Interrupt)
	killer := time.AfterFunc(10*time.Second, func() { _ = f.cmd.Process.Kill() })
	_ = f.cmd.Wait() // an interrupted program may have any status
	killer.Stop()
	f.cmd = nil
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// run measures everything and writes the table.
func run(o options) error {
	var err error
	if o.porthole, err = filepath.Abs(o.porthole); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.Command(self, "-serve")
	in, err := server.StdinPipe() // its end ends the server
	if err != nil {
		return err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _ = in.Close(); _ = server.Wait() }()
	var web, bulk int
	if _, err := fmt.Fscan(out, &web, &bulk); err != nil {
		return fmt.Errorf("read the ports of the server: %w", err)
	}
	var report strings.Builder
	write := func(format string, args ...any) {
		fmt.Fprintf(&report, format+"\n", args...)
		fmt.Printf(format+"\n", args...)
	}
	write("# Traffic\n")
	write("%s, %d processors, load before: %s\n", time.Now().Format(time.DateOnly), runtime.NumCPU(), loadAverage())
	ctx := context.Background()
	if o.only == "" || o.only == "forward" {
		forward(ctx, o, web, bulk, write)
	}
	if o.only == "memory" || o.only == "capture" {
		write("| | goal | measured | |")
		write("|---|---:|---:|---|")
	}
	if o.only == "" || o.only == "memory" {
		m, err := memory(ctx, o, web)
		goal(write, fmt.Sprintf("memory (RSS) of the tap after %d exchanges", m.exchanges), "≤ 104 MB", fmt.Sprintf("%.0f MB (%.0f MB before)", m.after, m.before), err, m.after <= 104)
	}
	if o.only == "" || o.only == "capture" {
		c, err := captured(ctx, o)
		goal(write, fmt.Sprintf("processor for a capture of %.0f packets a second", c.rate), "≤ 1", fmt.Sprintf("%.2f, %.1f µs for each; %s", c.processor, c.each, c.dropped), err, c.processor <= 1)
	}
	write("\nLoad after: %s", loadAverage())
	return os.WriteFile(o.out, []byte(report.String()), 0o644)
}

// write writes a line.
type write = func(format string, args ...any)

// forward compares the tap with the other programs that forward.
func forward(ctx context.Context, o options, web, bulk int, write write) {
	write("| | requests a second, 64 clients | of nginx | added to a request, p50 | p99 | MB a second, one connection | of socat |")
	write("|---|---:|---:|---:|---:|---:|---:|")
	results := measureForwarders(ctx, o, web, bulk)
	nginx, socat, mitm := results["nginx"].rate, results["socat"].bulk, results["mitmproxy"].rate
	for _, f := range forwarders(o.porthole) {
		r := results[f.name]
		if r.err != nil {
			write("| %s | not measured: %v | | | | | |", f.name, r.err)
			continue
		}
		write("| %s | %.0f | %s | %s | %s | %s | %s |", f.name, r.rate, ratio(r.rate, nginx), micros(r.p50), micros(r.p99), megabytes(r.bulk), ratio(r.bulk, socat))
	}
	tap := results["porthole tap"]
	write("\n| the tap | goal | measured | |")
	write("|---|---:|---:|---|")
	compare := func(what, limit string, mine, other, least float64) {
		err := tap.err
		if mine == 0 || other == 0 {
			err = errors.Join(err, errors.New("one of the two is missing"))
		}
		goal(write, what, limit, ratio(mine, other), err, mine >= least*other)
	}
	compare("requests a second, relative to mitmproxy", "≥ 20 ×", tap.rate, mitm, 20)
	compare("requests a second, relative to nginx", "≥ 0.5 ×", tap.rate, nginx, 0.5)
	compare("bytes a second of one connection, relative to socat", "≥ 0.8 ×", tap.bulk, socat, 0.8)
	goal(write, "added to a request, p50", "≤ 60 µs", micros(tap.p50), tap.err, tap.p50 <= 60*time.Microsecond)
	goal(write, "added to a request, p99", "≤ 500 µs", micros(tap.p99), tap.err, tap.p99 <= 500*time.Microsecond)
}

// goal writes a line about a goal.
func goal(write write, what, limit, measured string, err error, reached bool) {
	switch {
	case err != nil:
		write("| %s | %s | not measured: %v | |", what, limit, err)
	case reached:
		write("| %s | %s | %s | reached |", what, limit, measured)
	default:
		write("| %s | %s | %s | not reached |", what, limit, measured)
	}
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f ×", a/b)
}

func micros(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%d µs", d.Microseconds())
}

func megabytes(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", n/1e6)
}

// discard reads r to its end.
func discard(r io.Reader) { _, _ = io.Copy(io.Discard, r) }
