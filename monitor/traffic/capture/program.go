package capture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
)

// program is a capture by another program, which writes packets to a pipe.
type program struct {
	cmd    *exec.Cmd
	out    io.ReadCloser
	file   *File
	stderr *tail
	reap   sync.Once
	ended  chan struct{} // closed when it has ended
	err    error         // of Wait; read it after ended

	elevated bool // it runs as root, which this process does not

	mu    sync.Mutex
	count Stats
}

// startTime is how long a program may take until it captures.
const startTime = 20 * time.Second

// arguments returns the arguments of dumpcap or tcpdump that capture a port to stdout.
func arguments(name string, o Options, elevated bool) []string {
	filter := fmt.Sprintf("tcp port %d", o.Port)
	if elevated {
		filter += farewellFilter
	}
	if strings.HasPrefix(name, "tcpdump") {
		return []string{"-i", o.Interface, "-U", "-n", "-s", "0", "-B", "16384", "-w", "-", filter}
	}
	return []string{"-i", o.Interface, "-q", "-P", "-B", "16", "-w", "-", "-f", filter}
}

// start starts dumpcap or tcpdump, the last word of command, after others such as pkexec.
func start(ctx context.Context, command []string, o Options) (handle, error) {
	name := filepath.Base(command[len(command)-1])
	elevated := len(command) > 1
	args := append(command[1:len(command):len(command)], arguments(name, o, elevated)...)
	p := &program{cmd: exec.Command(command[0], args...), stderr: &tail{}, ended: make(chan struct{}), elevated: elevated}
	p.cmd.Stderr = p.stderr
	detach(p.cmd)
	var err error
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	patient := startTime
	if elevated {
		patient = elevatedStartTime
	}
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	stop := context.AfterFunc(ctx, p.close)
	p.file, err = OpenFile(bufio.NewReaderSize(p.out, 1<<20)) // returns after the header of the file
	stop()
	if err != nil {
		p.close()
		return nil, fmt.Errorf("capture with %s: %w", name, p.reason(err))
	}
	return p, nil
}

// reason returns what the program wrote about its failure, or err.
func (p *program) reason(err error) error {
	ended := p.wait()
	if refused := elevationError(ended); p.elevated && refused != nil {
		return refused
	}
	if text := p.stderr.text(); text != "" {
		return errors.New(text)
	}
	if ended != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return ended
	}
	return err
}

// wait waits until the program has ended and returns the error of that. An elevated one
// that does not end in time is left to end with the next packet.
func (p *program) wait() error {
	p.reap.Do(func() {
		go func() { // ends with the program
			p.err = p.cmd.Wait()
			close(p.ended)
		}()
	})
	if p.elevated && !p.finish() {
		return nil
	}
	<-p.ended
	return p.err
}

// close ends the program. One that runs as another user, through pkexec, ends when it
// writes the next packet to the closed pipe.
func (p *program) close() {
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.out.Close()
}

// read implements handle.
func (p *program) read(ctx context.Context, each func(Packet), tick func()) error {
	type packet struct {
		Packet
		err error
	}
	packets := make(chan packet, 1024)
	done := make(chan struct{})
	defer close(done)
	go func() { // ends when the pipe is closed or read returns
		for {
			next, err := p.file.Next()
			next.IP = bytes.Clone(next.IP)
			select {
			case packets <- packet{next, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.close()
			_ = p.wait() // it was ended by a signal
			p.parseStats()
			return nil
		case next := <-packets:
			if next.err != nil {
				p.close()
				_ = p.wait() // reason returns it
				p.parseStats()
				return fmt.Errorf("%s has ended: %w", filepath.Base(p.cmd.Path), p.reason(next.err))
			}
			p.mu.Lock()
			p.count.Packets++
			p.mu.Unlock()
			each(next.Packet)
		case <-ticker.C:
			tick()
		}
	}
}

// tickInterval is how often read calls tick.
const tickInterval = 100 * time.Millisecond

// dropped matches what tcpdump and dumpcap say at their end.
var dropped = regexp.MustCompile(`(\d+) packets? dropped by kernel|received/dropped on interface \S+ \d+/(\d+)`)

func (p *program) parseStats() {
	if m := dropped.FindStringSubmatch(p.stderr.text()); m != nil {
		n, _ := strconv.ParseUint(m[1]+m[2], 10, 64)
		p.mu.Lock()
		p.count.Dropped = n
		p.mu.Unlock()
	}
}

func (p *program) stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// tail keeps the last part of what a program writes. It is safe for concurrent use.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if extra := len(t.b) - maxTail; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(p), nil
}

// text returns the lines as one, without those that only say that it captures.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range strings.Lines(string(t.b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "Capturing on") || strings.HasPrefix(line, "File:") || strings.Contains(line, "listening on") {
			continue
		}
		lines = append(lines, line)
	}
	return monitor.Clean(strings.Join(lines, " "), 400)
}
