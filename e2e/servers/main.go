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
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
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

func command() error {
	listLayers := flag.Bool("layers", false, "print each layer with its packages, and exit")
	only := flag.String("run", "", "start only the runs whose names match this `REGEXP`")
	jobs := flag.Int("jobs", 2, "how many systems run at the same time")
	expected := flag.String("expected", "monitor/integration/testdata/servers.txt", "the `FILE` of right values")
	document := flag.String("document", "docs/servers.md", "the `FILE` that gets the table after a complete measurement")
	again := flag.Bool("compare", false, "compare the records of the last measurement again, and start nothing")
	flag.Parse()
	runs, err := parseRuns(runsText)
	if err != nil {
		return err
	}
	if *listLayers {
		for _, l := range layersOf(runs) {
			fmt.Println(l)
		}
		return nil
	}
	if flag.NArg() != 1 {
		return errors.New("usage: servers [flags] FOLDER")
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	rows, err := readExpected(*expected)
	if err != nil {
		return err
	}
	lab, err := newLab(flag.Arg(0), rows)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	results := make([]result, len(runs))
	slots := make(chan struct{}, *jobs)
	var wait sync.WaitGroup
	for i, r := range runs {
		if !pattern.MatchString(r.name) {
			results[i] = lab.compare(r, nil)
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			var err error
			if !*again && ctx.Err() == nil {
				err = lab.measure(ctx, r)
			}
			results[i] = lab.compare(r, err)
			fmt.Println(results[i].line())
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s := summarize(results)
	fmt.Println(s.text())
	return os.WriteFile(filepath.Clean(*document), []byte(page(results, s)), 0o644)
}
