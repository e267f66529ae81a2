//go:build linux

// Command desktops tries Porthole on real desktops of Debian, each in a root directory and
// namespaces of its own, as a user sees and uses it: with mouse, keyboard and pictures of the
// screen. It writes the results to docs/desktops.md. packaging/test-desktops.sh installs what it
// starts and runs it as root.
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
	"syscall"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == bootRole:
		err = boot(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == tryRole:
		err = tryInside(os.Args[2], os.Args[3])
	default:
		err = command()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "desktops:", err)
		os.Exit(1)
	}
}

func command() error {
	listLayers := flag.Bool("layers", false, "print the layers of the selected desktops with their packages, and exit")
	listBase := flag.Bool("base", false, "print the packages of all desktops, and exit")
	table := flag.Bool("table", false, "only write the table again from the records")
	only := flag.String("only", "", "try only the desktops whose names match this `REGEXP`")
	onlyLayer := flag.String("layer", "", "try only the desktops of this `LAYER`")
	someChecks := flag.String("check", "", "make only the checks whose names match this `REGEXP`, and those that they need, and write no table")
	results := flag.String("results", "e2e/desktops/results", "the `FOLDER` that keeps the results of all desktops")
	document := flag.String("document", "docs/desktops.md", "the `FILE` that gets the table")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	var selected []environment
	for _, d := range desktops {
		if pattern.MatchString(d.name) && (*onlyLayer == "" || d.layer == *onlyLayer) {
			selected = append(selected, d)
		}
	}
	switch {
	case *listBase:
		fmt.Println(basePackages)
		return nil
	case *listLayers:
		printLayers(selected)
		return nil
	case flag.NArg() != 1:
		return errors.New("usage: desktops [flags] FOLDER")
	case len(selected) == 0:
		return errors.New("no desktop has such a name")
	}
	dir, err := filepath.Abs(flag.Arg(0))
	if err != nil {
		return fmt.Errorf("find %s: %w", flag.Arg(0), err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !*table {
		for _, d := range selected {
			fmt.Println("==", d.name)
			res, err := start(ctx, dir, d, *someChecks)
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			if err != nil {
				return err
			}
			fmt.Println(res.line())
		}
	}
	if *someChecks != "" {
		return nil
	}
	return writePage(dir, *results, *document)
}

// printLayers prints the layers of these desktops.
func printLayers(selected []environment) {
	for _, l := range layers {
		for _, d := range selected {
			if d.layer == l.name {
				fmt.Println(l.line())
				break
			}
		}
	}
}
