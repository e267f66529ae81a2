// Command installed starts the Porthole that is installed in another root directory
// through its desktop entry, on a virtual desktop of this machine. When tray icon and
// window are there, it writes a picture and ends Porthole with "porthole quit". The root
// directory needs gio. Run this command as root in its own mount namespace.
//
//	unshare --mount installed ROOT FILE.png
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"porthole/e2e/desktop"
)

const (
	entry   = "/usr/share/applications/io.github.porthole.porthole.desktop"
	program = "/usr/bin/porthole"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: installed ROOT FILE.png")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "installed:", err)
		os.Exit(1)
	}
}

func run(root, picture string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := mount(root); err != nil {
		return err
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
	within := func(name string, args ...string) error {
		cmd := d.Command("chroot", append([]string{root, name}, args...)...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr // files: with a pipe, Run would wait for Porthole, which inherits it
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
		}
		return nil
	}
	if err := within("gio", "launch", entry); err != nil {
		return err
	}
	if err := waitVisible(ctx, d, root); err != nil {
		return errors.Join(err, d.Screenshot(picture))
	}
	time.Sleep(time.Second) // for the window to be drawn
	if err := d.Screenshot(picture); err != nil {
		return err
	}
	if err := within(program, "quit"); err != nil {
		return err
	}
	return until(ctx, "Porthole ends", func() bool { return len(running(root)) == 0 })
}

// mount makes /tmp and /proc of this machine available in the root directory. The mounts
// end with the namespace.
func mount(root string) error {
	if os.TempDir() != "/tmp" {
		return errors.New("TMPDIR must be /tmp, where the display's socket is")
	}
	for _, args := range [][]string{{"--bind", "/tmp", filepath.Join(root, "tmp")}, {"-t", "proc", "proc", filepath.Join(root, "proc")}} {
		if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("mount %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// waitVisible waits for the agent's tray icon and for the window.
func waitVisible(ctx context.Context, d *desktop.Desktop, root string) error {
	var agent int
	if err := until(ctx, "Porthole starts", func() bool {
		if pids := running(root); len(pids) > 0 {
			agent = slices.Min(pids) // the window is its child
		}
		return agent != 0
	}); err != nil {
		return err
	}
	tray, err := d.Tray()
	if err != nil {
		return err
	}
	defer tray.Close()
	if _, err := tray.WaitItem(ctx, agent); err != nil {
		return err
	}
	_, err = d.WaitWindow(ctx, "Porthole")
	return err
}

// running returns the PIDs of the processes that run the program in the root directory.
func running(root string) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is valid
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && file == filepath.Join(root, program) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err == nil && syscall.Kill(pid, 0) == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func until(ctx context.Context, what string, met func() bool) error {
	for !met() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}
