// Command installed starts the Porthole that is installed in another root directory
// through its desktop entry, on a virtual desktop of this machine. When tray icon and
// window are there, and the window belongs to the entry, it writes a picture and ends
// Porthole with "porthole quit". The root directory needs gio. Run this command as root in its own mount namespace.
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
	id      = "io.github.porthole.porthole"
	entry   = "/usr/share/applications/" + id + ".desktop"
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
	drawn := until(ctx, "the window is drawn", func() bool { return hasAccent(d) })
	if err := errors.Join(drawn, d.Screenshot(picture)); err != nil {
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
	window, err := d.WaitWindow(ctx, "Porthole")
	if err != nil {
		return err
	}
	return checkClass(d, window.ID)
}

// checkClass fails unless panels find the desktop entry of the window: both parts of its
// class are the name of the entry.
func checkClass(d *desktop.Desktop, window int) error {
	out, err := d.Command("xprop", "-id", strconv.Itoa(window), "WM_CLASS").Output()
	if err != nil {
		return fmt.Errorf("read the class of the window: %w", err)
	}
	if strings.Count(string(out), strconv.Quote(id)) != 2 {
		return fmt.Errorf("the window has the class %q, want %s twice", out, id)
	}
	return nil
}

// hasAccent reports whether the desktop shows the accent colour of the dark or the light
// theme, which each page of the window has.
func hasAccent(d *desktop.Desktop) bool {
	img, err := d.Picture()
	if err != nil {
		return false
	}
	for i := 0; i+3 < len(img.Pix); i += 4 {
		switch [3]uint8(img.Pix[i:]) {
		case [3]uint8{0x2d, 0xd4, 0xbf}, [3]uint8{0x0b, 0x7d, 0x72}:
			return true
		}
	}
	return false
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
