//go:build linux

// Command servers starts real servers, each alone in a freshly booted Debian in
// namespaces of its own, and compares what Porthole shows with the right values.
// packaging/test-servers.sh installs what it starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "boot" {
		fmt.Fprintln(os.Stderr, bootChild(os.Args[2]))
		os.Exit(1)
	}
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		os.Exit(1)
	}
}

// flags are the flags of the command.
type flags struct {
	layers, again, missing bool
	only                   string
	jobs                   int
	wait                   time.Duration
	expected, document     string
}

func parseFlags() flags {
	var f flags
	flag.BoolVar(&f.layers, "layers", false, "print each layer with the packages of the runs, and exit")
	flag.StringVar(&f.only, "run", "", "start only the runs and checks whose names match this `REGEXP`")
	flag.BoolVar(&f.missing, "missing", false, "start only runs without records")
	flag.IntVar(&f.jobs, "jobs", 2, "how many systems run at the same time")
	flag.DurationVar(&f.wait, "wait", 8*time.Minute, "how long a server may take until it listens")
	flag.BoolVar(&f.again, "compare", false, "compare the records again, and start nothing")
	flag.StringVar(&f.expected, "expected", "monitor/integration/testdata/servers.txt", "the `FILE` of right values")
	flag.StringVar(&f.document, "document", "docs/servers.md", "the `FILE` that gets the table")
	flag.Parse()
	return f
}

func command() error {
	f := parseFlags()
	runs, err := parseRuns(runsText)
	if err != nil {
		return err
	}
	pattern, err := regexp.Compile(f.only)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	checks, err := parseChecks(checksText)
	if err != nil {
		return err
	}
	checks = slices.DeleteFunc(checks, func(c check) bool { return !pattern.MatchString(c.name) })
	selected := slices.DeleteFunc(slices.Clone(runs), func(r run) bool { return !pattern.MatchString(r.name) })
	if f.layers {
		for _, l := range append(layersOf(selected), checkPackages(checks)) {
			fmt.Println(l)
		}
		return nil
	}
	if flag.NArg() != 1 {
		return errors.New("usage: servers [flags] FOLDER")
	}
	expected, err := readExpected(f.expected)
	if err != nil {
		return err
	}
	l, err := newLab(flag.Arg(0), expected, f.wait)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var checkErr error
	if !f.again {
		checkErr = l.runChecks(ctx, checks)
	}
	if len(selected) == 0 {
		return checkErr // the table does not change
	}
	start := func(r run) bool {
		return !f.again && pattern.MatchString(r.name) && !(f.missing && l.record(r, "list.root.json") != "")
	}
	results := l.measureAll(ctx, runs, start, f.jobs)
	s := summarize(results)
	fmt.Println(s.text())
	if ctx.Err() != nil {
		return errors.New("interrupted; start it again with -missing to continue")
	}
	if err := os.WriteFile(f.document, []byte(page(results, s)), 0o644); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return checkErr
}

// measureAll starts the runs that start selects, as many as jobs at the same time, and
// compares the records of all.
func (l *lab) measureAll(ctx context.Context, runs []run, start func(run) bool, jobs int) []result {
	results := make([]result, len(runs))
	slots := make(chan struct{}, jobs)
	var wait sync.WaitGroup
	for i, r := range runs {
		if ctx.Err() != nil || !start(r) {
			results[i] = l.compare(r)
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			l.measure(ctx, r)
			results[i] = l.compare(r)
			fmt.Println(results[i].line())
		})
	}
	wait.Wait()
	return results
}
