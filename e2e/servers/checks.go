//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed checks.txt
var checksText string

// checksLayer is the installed system that has the packages of all checks.
const checksLayer = "checks"

// check is one check of checks.txt, which describes the fields.
type check struct {
	name     string
	packages []string
	commands []step
}

// step is one command of a check, and what is right about it.
type step struct {
	user, text    string
	line          int // in checks.txt
	status        int
	with, without []string // what its output must, and must not, contain
}

// parseChecks parses the format of checks.txt.
func parseChecks(text string) ([]check, error) {
	var checks []check
	err := parseRecords("checks.txt", text, func(name string) bool {
		checks = append(checks, check{name: name})
		return true
	}, func(key, value string, line int) error {
		return checks[len(checks)-1].add(key, value, line)
	})
	return checks, err
}

func (c *check) add(key, value string, line int) error {
	if user, ok := strings.CutSuffix(key, "$"); ok {
		c.commands = append(c.commands, step{user: user, text: value, line: line})
		return nil
	}
	if key == "packages" {
		c.packages = strings.Fields(value)
		return nil
	}
	if len(c.commands) == 0 {
		return fmt.Errorf("no command before %q", key)
	}
	last := &c.commands[len(c.commands)-1]
	switch key {
	case "=":
		status, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("exit status %q: %w", value, err)
		}
		last.status = status
	case "+":
		last.with = append(last.with, value)
	case "-":
		last.without = append(last.without, value)
	default:
		return fmt.Errorf("unknown field %q", key)
	}
	return nil
}

// checkPackages returns the layer of the checks whose names match.
func checkPackages(checks []check) layer {
	l := layer{name: checksLayer}
	for _, c := range checks {
		for _, p := range c.packages {
			if !slices.Contains(l.packages, p) {
				l.packages = append(l.packages, p)
			}
		}
	}
	return l
}

// checkPrelude is run before every command of a check.
const checkPrelude = `
# opened PORT: wait until something listens on it.
opened() { for _ in $(seq 300); do [ -n "$(ss -Hltu sport = :$1)" ] && return; sleep 0.1; done; echo "nothing listens on $1"; return 1; }
# within SECONDS COMMAND ...: wait until the command succeeds.
within() { local s=$1; shift; for _ in $(seq $((s * 10))); do "$@" && return; sleep 0.1; done; echo "not within $s s: $*"; return 1; }
cd
`

// runChecks runs the checks, each in a freshly booted system, and prints the
// results. It returns an error if one fails.
func (l *lab) runChecks(ctx context.Context, checks []check) error {
	failed := 0
	for _, c := range checks {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := l.runCheck(ctx, c); err != nil {
			failed++
			fmt.Printf("check %s: FAILED: %v\n", c.name, err)
			continue
		}
		fmt.Printf("check %s: right, %d commands\n", c.name, len(c.commands))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed; the sessions are in %s", failed, len(checks), filepath.Join(l.dir, "records"))
	}
	return nil
}

// runCheck boots a system and runs the commands of c there. It goes on after a command
// with another result, and records the whole session.
func (l *lab) runCheck(parent context.Context, c check) error {
	ctx, cancel := context.WithTimeout(parent, 15*time.Minute)
	defer cancel()
	s, r, err := l.bootFor(ctx, "check-"+c.name, checksLayer)
	if err != nil {
		return err
	}
	defer r.remove()
	defer s.stop()
	defer s.recordLogs(ctx)
	var errs []error
	var session strings.Builder
	for _, command := range c.commands {
		out, err := s.runAs(ctx, command)
		fmt.Fprintf(&session, "%s$ %s\n%s", command.user, command.text, out)
		if err != nil {
			fmt.Fprintf(&session, "!! %v\n", err)
			errs = append(errs, fmt.Errorf("checks.txt:%d: %s$ %s: %w\n%s", command.line, command.user, command.text, err, out))
		}
	}
	return errors.Join(append(errs, r.write("session", session.String()))...)
}

// runAs runs a command of a check, and returns its output and an error unless both
// are right.
func (s *system) runAs(ctx context.Context, c step) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	args := []string{"HOME=/root", "/bin/bash", "-c", checkPrelude + c.text}
	if c.user != "root" {
		args = []string{"/bin/bash", "-c", `exec runuser -u "$0" -- env HOME=/home/"$0" USER="$0" SHELL=/bin/bash XDG_RUNTIME_DIR=/run/user/$(id -u "$0") /bin/bash -c "$1"`, c.user, checkPrelude + c.text}
	}
	e := s.enter(ctx, args...)
	e.WaitDelay = time.Second
	raw, err := e.CombinedOutput()
	out := string(raw)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) { // a server may keep the output open
		return out, err
	}
	return out, c.compare(out, e.ProcessState.ExitCode())
}

// compare returns an error unless the output and the exit status are right.
func (c step) compare(out string, status int) error {
	var errs []error
	if status != c.status {
		errs = append(errs, fmt.Errorf("exit status %d, want %d", status, c.status))
	}
	for _, text := range c.with {
		if !strings.Contains(out, text) {
			errs = append(errs, fmt.Errorf("%q is missing", text))
		}
	}
	for _, text := range c.without {
		if strings.Contains(out, text) {
			errs = append(errs, fmt.Errorf("%q is not right", text))
		}
	}
	return errors.Join(errs...)
}
