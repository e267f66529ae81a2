package restart

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"porthole/monitor"
)

// A terminal runs commands with its own environment, often that of a server which has been
// running since the login. So it runs this program, which receives the recipe through a
// socket, starts the command and reports back. The environment is never on a disk or in a
// command line.

// joinTime is how long a terminal has to start this program, also on a slow machine. Only
// tests change it.
var joinTime = 15 * time.Second

// maxReason is the length of an error in a report, in bytes.
const maxReason = 300

// handedOver is a Recipe on the socket.
type handedOver struct {
	Program, Folder      string
	Command, Environment []string
}

// report is what the program in the terminal reports: first that the command was
// started, or why not, then that it has ended.
type report struct {
	PID    int    // of the command
	Reason string // why it could not be started, or how it ended; "" for none
}

// OpenTerminal opens a terminal that runs the program of this process with the arguments
// args. The error that the channel gets is how the terminal ended; a nil channel means
// that this is not known.
type OpenTerminal func(ctx context.Context, args []string) (<-chan error, error)

// StartInTerminal starts the process in the terminal that open opens, which must run
// command with the path of a socket as its last argument: there Receive gets the recipe.
// dir is a folder that only this user can enter. The error says why there is no such
// terminal; then nothing was started. ended is called on another goroutine if the process
// ends while ctx lasts.
func (r *Recipe) StartInTerminal(ctx context.Context, dir string, command []string, open OpenTerminal, ended func(error)) (pid int, _ error) {
	path := filepath.Join(dir, fmt.Sprintf("again-%d-%x.sock", os.Getpid(), time.Now().UnixNano()&0xffffffff))
	l, err := net.Listen("unix", path)
	if err != nil {
		return 0, fmt.Errorf("open the socket for the terminal: %w", err)
	}
	defer l.Close() // removes it
	if err := os.Chmod(path, 0o600); err != nil {
		return 0, fmt.Errorf("make the socket for the terminal private: %w", err)
	}
	closed, err := open(ctx, append(command, path))
	if err != nil {
		return 0, err
	}
	c, err := awaitTerminal(ctx, l, closed)
	if err != nil {
		return 0, err
	}
	pid, d, err := r.handOver(c)
	if err != nil {
		_ = c.Close() // nothing more is expected from it
		return 0, err
	}
	go func() { // ends with the process, its terminal or ctx
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
		defer c.Close()
		var last report
		if d.Decode(&last) == nil {
			ended(errors.New(monitor.Clean(last.Reason, maxReason)))
		}
	}()
	return pid, nil
}

// awaitTerminal returns the connection of the program in the terminal.
func awaitTerminal(ctx context.Context, l net.Listener, closed <-chan error) (net.Conn, error) {
	type accepted struct {
		c   net.Conn
		err error
	}
	joined := make(chan accepted, 1)
	go func() { // ends with l
		c, err := l.Accept()
		joined <- accepted{c, err}
	}()
	limit := time.NewTimer(joinTime)
	defer limit.Stop()
	for {
		select {
		case a := <-joined:
			if a.err != nil {
				return nil, fmt.Errorf("wait for the terminal: %w", a.err)
			}
			return a.c, nil
		case err := <-closed:
			if err != nil {
				return nil, fmt.Errorf("the terminal ended: %w", err)
			}
			closed = nil // it has passed the command to a server, as GNOME Terminal does
		case <-limit.C:
			return nil, fmt.Errorf("the terminal did not run the command within %v", joinTime)
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the terminal: %w", ctx.Err())
		}
	}
}

// handOver sends r to the program in the terminal and returns the PID of the command,
// with a decoder of its second report.
func (r *Recipe) handOver(c net.Conn) (pid int, d *gob.Decoder, _ error) {
	if err := c.SetDeadline(time.Now().Add(joinTime)); err != nil {
		return 0, nil, fmt.Errorf("pass the command to the terminal: %w", err)
	}
	if err := gob.NewEncoder(c).Encode(handedOver{r.program, r.Folder, r.Command, r.environment}); err != nil {
		return 0, nil, fmt.Errorf("pass the command to the terminal: %w", err)
	}
	d = gob.NewDecoder(c)
	var first report
	switch err := d.Decode(&first); {
	case err != nil:
		return 0, nil, fmt.Errorf("wait for the terminal to start the command: %w", err)
	case first.PID == 0:
		return 0, nil, errors.New(monitor.Clean(first.Reason, maxReason))
	}
	return first.PID, d, c.SetDeadline(time.Time{})
}

// Received is a recipe that this process, in a terminal, is to start.
type Received struct {
	*Recipe
	conn    net.Conn
	encoder *gob.Encoder
}

// Receive gets a recipe from the process that calls StartInTerminal, and whose socket
// path is. The caller calls Started, then Ended.
func Receive(path string) (*Received, error) {
	c, err := net.DialTimeout("unix", path, joinTime)
	if err != nil {
		return nil, fmt.Errorf("get the command from Porthole: %w", err)
	}
	var h handedOver
	err = c.SetDeadline(time.Now().Add(joinTime))
	if err == nil {
		err = gob.NewDecoder(c).Decode(&h)
	}
	if err == nil && len(h.Command) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		_ = c.Close() // nothing was sent
		return nil, fmt.Errorf("get the command from Porthole: %w", err)
	}
	r := &Recipe{Command: h.Command, Folder: h.Folder, program: h.Program, environment: h.Environment}
	return &Received{r, c, gob.NewEncoder(c)}, nil
}

// Started reports that the command was started as pid, or with pid 0 the reason why not.
func (r *Received) Started(pid int, reason error) error {
	first := report{PID: pid}
	if reason != nil {
		first.Reason = reason.Error()
	}
	if err := r.encoder.Encode(first); err != nil {
		return fmt.Errorf("report the start to Porthole: %w", err)
	}
	return nil
}

// Ended reports how the command ended, if anyone still waits for that.
func (r *Received) Ended(how string) {
	_ = r.encoder.Encode(report{Reason: how}) // the other side usually has gone
	_ = r.conn.Close()
}
