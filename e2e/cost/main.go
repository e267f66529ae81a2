//go:build linux

// Command cost measures the resources that Porthole uses in the tray and with its
// window, each beside a minimal Fyne program, at the same time on one virtual desktop.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"porthole/e2e/desktop"
)

// settleTime is the time between the last change and a measurement.
const settleTime = 3 * time.Second

// This program listens on rowPort since rowSince. Its row is the one that is measured.
var (
	rowPort  int
	rowSince time.Time
)

// parts are what is measured, in this order.
var parts = []struct {
	name string
	run  func(ctx context.Context, over time.Duration, porthole, bare string, w io.Writer) error
}{{"agent", run}, {"start", runStart}, {"process", runProcess}, {"window", runWindow}, {"leaks", runLeaks}}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func main() {
	over := flag.Duration("over", time.Minute, "how long to measure")
	only := flag.String("only", "", "measure only this part: "+strings.Join(partNames(), ", "))
	flag.Parse()
	if flag.NArg() != 2 || *only != "" && !slices.Contains(partNames(), *only) {
		fmt.Fprintln(os.Stderr, "usage: cost [-over 60s] [-only PART] PORTHOLE BARE-FYNE-PROGRAM")
		os.Exit(2)
	}
	row, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
	defer row.Close()
	rowPort = row.Addr().(*net.TCPAddr).Port
	rowSince = time.Now()
	go echo(row)
	for _, p := range parts {
		if *only != "" && *only != p.name {
			continue
		}
		if err := p.run(context.Background(), *over, flag.Arg(0), flag.Arg(1), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "cost:", err)
			os.Exit(1)
		}
	}
}

// run measures the agent beside the bare program, and again after a window was opened
// and closed.
func run(ctx context.Context, over time.Duration, porthole, bare string, w io.Writer) (err error) {
	d, err := desktop.Start(ctx, desktop.DefaultOptions())
	if err != nil {
		return err
	}
	defer d.Stop()
	agent, other := d.Command(porthole, "--hidden"), d.Command(bare)
	for _, c := range []*exec.Cmd{agent, other} {
		if err := start(ctx, d, c); err != nil {
			return err
		}
		defer end(c)
	}
	time.Sleep(settleTime)
	first, bareCost, err := measure(over, agent.Process.Pid, other.Process.Pid)
	if err != nil {
		return err
	}
	if err := openAndClose(ctx, d, porthole); err != nil {
		return err
	}
	time.Sleep(settleTime)
	again, _, err := measure(over, agent.Process.Pid, other.Process.Pid)
	if err != nil {
		return err
	}
	return report(w, over, first, again, bareCost)
}

// start starts a program and waits until its icon is in the tray.
func start(ctx context.Context, d *desktop.Desktop, c *exec.Cmd) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.Path, err)
	}
	tray, err := d.Tray()
	if err != nil {
		return err
	}
	defer tray.Close()
	if _, err := tray.WaitItem(ctx, c.Process.Pid); err != nil {
		return fmt.Errorf("wait for the icon of %s: %w", c.Path, err)
	}
	return nil
}

// end ends a program with SIGTERM, or with SIGKILL after 5 s.
func end(c *exec.Cmd) {
	_ = c.Process.Signal(syscall.SIGTERM) // it may have exited already
	kill := time.AfterFunc(5*time.Second, func() { _ = c.Process.Kill() })
	defer kill.Stop()
	_ = c.Wait() // the exit status has no meaning here
}

// openAndClose opens the window with a second start, and closes it.
func openAndClose(ctx context.Context, d *desktop.Desktop, porthole string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := d.Command(porthole).Run(); err != nil {
		return fmt.Errorf("open the window: %w", err)
	}
	w, err := d.WaitWindow(ctx, "Porthole")
	if err != nil {
		return err
	}
	return errors.Join(w.Close(), d.WaitNoWindow(ctx, "Porthole"))
}

// cost is the use of resources by one program.
type cost struct {
	anonymous, rss float64 // MB
	cpu            float64 // percent of a core
	wakes          float64 // per second
}

// measure measures two programs at the same time.
func measure(over time.Duration, pid, other int) (a, b cost, err error) {
	pids := [2]int{pid, other}
	var before, after [2]usage
	for i, pid := range pids {
		if before[i], err = readUsage(pid); err != nil {
			return a, b, err
		}
	}
	begin := time.Now()
	time.Sleep(over)
	for i, pid := range pids {
		if after[i], err = readUsage(pid); err != nil {
			return a, b, err
		}
	}
	seconds := time.Since(begin).Seconds()
	return after[0].since(before[0], seconds), after[1].since(before[1], seconds), nil
}

// report writes the table of results and limits.
func report(w io.Writer, over time.Duration, first, again, bare cost) error {
	t := newTable(w)
	row := func(cells ...string) { _, _ = fmt.Fprintln(t, strings.Join(cells, "\t")+"\t") } // end returns the error
	line := func(name, format string, of func(cost) float64, limit string) {
		number := func(c cost) string { return fmt.Sprintf(format, of(c)) }
		row(name, number(first), number(again), number(bare), ratio(of(first), of(bare)), limit)
	}
	row(fmt.Sprintf("over %v", over), "in the tray", "after a window", "bare Fyne", "ratio", "limit")
	line("anonymous memory, MB", "%.1f", func(c cost) float64 { return c.anonymous }, "<= 15")
	line("RSS, MB", "%.1f", func(c cost) float64 { return c.rss }, "<= 40, <= 30 %")
	line("CPU, % of a core", "%.2f", func(c cost) float64 { return c.cpu }, "<= 0.15, <= 15 %")
	line("wake-ups per second", "%.1f", func(c cost) float64 { return c.wakes }, "")
	return t.end()
}

func ratio(a, b float64) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*a/b)
}
