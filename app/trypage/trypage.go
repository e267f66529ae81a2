// Package trypage opens the page with which new users try Porthole: a process of its own
// listens on a port of 127.0.0.1 for a short time. It never outlives the process that
// started it: the end of its standard input ends it.
package trypage

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Duration is how long the page is open.
const Duration = 30 * time.Second

// ExitInUse is the exit status of the page's process if the port is in use.
const ExitInUse = 4

// ErrInUse is the error of Serve and Run if another program uses the port.
var ErrInUse = errors.New("the port is in use")

// killDelay is how long Run waits for the end of a process that it has asked to end.
const killDelay = 2 * time.Second

// text is what the page shows.
const text = `Porthole opened this page so that you can try it.

While the page is open, Porthole lists its port and notifies you.
The page closes by itself after half a minute.
`

// opened is the line that the page's process writes when it accepts connections.
const opened = "open\n"

// Serve serves the page on a port of 127.0.0.1 until ctx ends, stdin ends, or the
// duration is over. It writes a line to stdout when it accepts connections. It does not
// wait for open connections.
func Serve(ctx context.Context, stdin io.Reader, stdout io.Writer, port uint16, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", address)
	if err != nil {
		if isInUse(err) {
			err = errors.Join(ErrInUse, err)
		}
		return fmt.Errorf("open the page: %w", err)
	}
	go func() { // ends with the process at the latest
		_, _ = io.Copy(io.Discard, stdin) // an error is an end too
		cancel()
	}()
	server := &http.Server{Handler: http.HandlerFunc(page), ReadHeaderTimeout: d}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if _, err := io.WriteString(stdout, opened); err != nil {
		_ = l.Close()
		return fmt.Errorf("report that the page is open: %w", err)
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the page: %w", err)
	}
	return nil
}

// page answers every request with the same text.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, text) // the client may have gone
}

// isInUse reports whether err says that an address is in use. Windows has an error of its
// own, WSAEADDRINUSE (Windows Sockets Error Codes).
func isInUse(err error) bool {
	const wsaeAddrInUse = syscall.Errno(10048)
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaeAddrInUse)
}

// Run starts c, a process that calls Serve with its standard input and output, calls
// onOpen when the page is open, and returns when the process has ended. The end of ctx
// ends the process without an error. The error is ErrInUse if another program uses the port, and nil if
// the page was open and has ended as planned.
func Run(ctx context.Context, c *exec.Cmd, onOpen func()) error {
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdin, err := c.StdinPipe() // its end ends the process, also if this one is killed
	if err != nil {
		return fmt.Errorf("start the page: %w", err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start the page: %w", err)
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("start the page: %w", err)
	}
	defer stdin.Close()
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(ctx, func() {
		_ = stdin.Close() // a killed server would be reported as a crash
		select {
		case <-ended:
		case <-time.After(killDelay):
			_ = c.Process.Kill() // fails if it has ended
		}
	})
	defer stop()
	line, _ := bufio.NewReader(stdout).ReadString('\n') // without the line, Wait has the reason
	if line == opened {
		onOpen()
	}
	err = c.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == ExitInUse:
		return ErrInUse
	case err != nil:
		return fmt.Errorf("the page's process: %w: %s", err, strings.TrimSpace(stderr.String()))
	case line != opened:
		return errors.New("the page's process ended before the page was open")
	}
	return nil
}
