// Command picture runs Porthole on a virtual desktop, opens 127.0.0.1:62893 for a few
// seconds, and writes a picture of the screen.
//
//	picture PROGRAM FILE.png
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"porthole/e2e/desktop"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: picture PROGRAM FILE.png")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
	fmt.Printf("%s shows the window, the tray icon and the notification.\n", os.Args[2])
}

func run(program, file string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	program, err := filepath.Abs(program)
	if err != nil {
		return fmt.Errorf("find %s: %w", program, err)
	}
	opts := desktop.DefaultOptions()
	if missing := opts.Missing(); len(missing) > 0 {
		return fmt.Errorf("these tools are missing: %s", strings.Join(missing, ", "))
	}
	d, err := desktop.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer d.Stop()
	cmd := d.Command(program)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Stop kills it if it ignores this
		_ = cmd.Wait()
	}()
	return photograph(ctx, d, cmd, file)
}

// photograph opens the port when Porthole has started, and takes the picture after the
// notification.
func photograph(ctx context.Context, d *desktop.Desktop, cmd *exec.Cmd, file string) error {
	notes, err := d.Record(ctx)
	if err != nil {
		return err
	}
	defer notes.Close()
	tray, err := d.Tray()
	if err != nil {
		return err
	}
	defer tray.Close()
	if _, err := tray.WaitItem(ctx, cmd.Process.Pid); err != nil {
		return err
	}
	if _, err := d.WaitWindow(ctx, "Porthole"); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:62893")
	if errors.Is(err, syscall.EADDRINUSE) {
		return errors.New("another program uses 127.0.0.1:62893; stop it and try again")
	}
	if err != nil {
		return fmt.Errorf("open 127.0.0.1:62893: %w", err)
	}
	defer l.Close()
	if _, err := notes.WaitNote(ctx, func(n desktop.Note) bool { return strings.HasPrefix(n.Summary, "62893 is open") }); err != nil {
		return err
	}
	time.Sleep(1500 * time.Millisecond) // for the window and the notification to be drawn
	return d.Screenshot(file)
}
