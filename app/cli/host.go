package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"porthole/monitor"
)

// hostFlag is the flag that runs a command on another machine.
const hostFlag = "host"

// onHosts are the commands that run on another machine.
var onHosts = []string{"list", "who", "events", "explain"}

// Exit statuses of ssh(1) and of a POSIX shell (sh(1p)).
const (
	sshFailed       = 255 // ssh itself failed, and has said why
	commandNotFound = 127
)

// connectTime is how long ssh tries to connect.
const sshConnectTime = 15 * time.Second

// maxHostLine limits a line of the other machine's output.
const maxHostLine = 16 << 20

// hostName matches what --host takes: a host, a name of ssh_config(5), or user@host. It
// begins with no dash, which ssh would read as an option.
var hostName = regexp.MustCompile(`^[\pL\pN_][\pL\pN_.@:%\[\]-]*$`)

// AddHost adds the flag --host to root. With it, the commands that support it run on
// another machine; the others refuse it.
func AddHost(root *cobra.Command) {
	host := root.PersistentFlags().String(hostFlag, "", "run list, who, events or explain on another machine, as `USER@HOST`, over ssh")
	for _, c := range root.Commands() {
		run, name := c.RunE, c.Name()
		if run == nil {
			continue
		}
		c.RunE = func(c *cobra.Command, args []string) error {
			switch {
			case *host == "" && !c.Flags().Changed(hostFlag):
				return run(c, args)
			case !slices.Contains(onHosts, name):
				return UsageError{fmt.Sprintf("--host works with %s, not with %s", strings.Join(onHosts, ", "), name)}
			}
			return runOnHost(c.Context(), *host, c, args, os.Stdout, os.Stderr)
		}
	}
	run := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if *host != "" {
			return UsageError{"--host needs a command: " + strings.Join(onHosts, ", ")}
		}
		return run(c, args)
	}
}

// runOnHost runs c with args on host and prints what it prints.
func runOnHost(ctx context.Context, host string, c *cobra.Command, args []string, stdout, stderr io.Writer) error {
	if !hostName.MatchString(host) {
		return UsageError{fmt.Sprintf("%q: expected a host, as in ann@server", monitor.Clean(host, 60))}
	}
	wantsJSON, _ := c.Flags().GetBool("json") // each of onHosts has it
	asTable := c.Name() == "list" && !wantsJSON
	command := hostCommand(c, args, asTable)
	// Programs that users install for themselves are not in the PATH of every login.
	line := `PATH="$PATH:$HOME/.local/bin:/usr/local/bin" ` + monitor.ShellCommand(command)
	ssh := exec.CommandContext(ctx, "ssh", "-T", "-o", fmt.Sprintf("ConnectTimeout=%d", sshConnectTime/time.Second), "--", host, line)
	ssh.WaitDelay = time.Second
	var table bytes.Buffer
	out, errOut := &cleanWriter{to: stdout}, &cleanWriter{to: stderr}
	ssh.Stdout, ssh.Stderr = out, errOut
	if asTable {
		ssh.Stdout = &table
	}
	err := ssh.Run()
	out.flush()
	errOut.flush()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return nil // interrupted, as events are
	case failed && exit.ExitCode() == commandNotFound:
		return fmt.Errorf("can't find porthole on %s: it is not installed, or not in the PATH of ssh commands; install the same package there, or copy this program: scp %s %s:.local/bin/porthole", host, ownPath(), host)
	case failed && exit.ExitCode() == sshFailed:
		return fmt.Errorf("ssh can't run a command on %s", host)
	case failed:
		return ExitStatus(exit.ExitCode())
	case err != nil:
		return fmt.Errorf("run ssh: %w", err)
	case asTable:
		return printHostTable(ctx, host, table.Bytes(), c, stdout, stderr)
	}
	return nil
}

// ownPath returns the path of this program, for a command to copy.
func ownPath() string {
	path, err := os.Executable()
	if err != nil {
		return "porthole"
	}
	return monitor.ShellCommand([]string{path})
}

// hostCommand returns the command to run on the other machine: c with its flags and args,
// and with --json if it is wanted.
func hostCommand(c *cobra.Command, args []string, wantJSON bool) []string {
	command := []string{"porthole", c.Name()}
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != hostFlag && f.Name != "json" {
			command = append(command, "--"+f.Name+"="+f.Value.String())
		}
	})
	if json := c.Flags().Lookup("json"); wantJSON || json != nil && json.Changed {
		command = append(command, "--json")
	}
	return append(append(command, "--"), args...)
}

// printHostTable prints the answer of list --json as this machine's list prints a table.
func printHostTable(ctx context.Context, host string, answer []byte, c *cobra.Command, stdout, stderr io.Writer) error {
	var s snapshotJSON
	if err := json.Unmarshal(answer, &s); err != nil {
		return fmt.Errorf("the answer of %s is no list of Porthole: %s", host, monitor.Clean(err.Error(), 120))
	}
	snapshot := monitor.Snapshot{TakenAt: s.TakenAt}
	q := query{Options: Options{Stdout: stdout, Stderr: stderr, All: true}, firewall: map[string]monitor.Firewall{}}
	q.Verbose, _ = c.Flags().GetBool("verbose") // list has it
	q.watched = map[string]bool{}
	for _, l := range s.Listeners {
		one := &monitor.Listener{
			ID: l.ID, Protocol: l.Protocol, Port: l.Port, Addresses: l.Addresses, Exposure: monitor.Exposure(monitor.Clean(string(l.Exposure), 20)), User: l.User, Service: monitor.Clean(l.Service, 60),
			Framework: monitor.Clean(l.Framework, 60), Project: l.Project,
		}
		one.Unit, one.Container = l.Unit, l.Container
		if l.OwnerUnknown != nil {
			one.OwnerUnknown = l.OwnerUnknown.Reason
		}
		for _, o := range l.Owners {
			one.Owners = append(one.Owners, monitor.Owner{PID: o.PID, Name: o.Name})
		}
		if l.Firewall != nil {
			q.firewall[l.ID] = monitor.Firewall{State: monitor.FirewallState(monitor.Clean(string(l.Firewall.State), 20))}
		}
		q.watched[l.ID] = l.Watched
		snapshot.Listeners = append(snapshot.Listeners, one)
	}
	if len(snapshot.Listeners) == 0 {
		_, err := fmt.Fprintf(stdout, "Nothing that matches listens on %s.\n", host)
		return err
	}
	return q.printTable(ctx, stdout, snapshot)
}

// cleanWriter passes on lines of text from another machine, without control characters
// that would act on the terminal.
type cleanWriter struct {
	to   io.Writer
	rest []byte
}

func (w *cleanWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			break
		}
		if _, err := w.to.Write(cleanLine(line)); err != nil {
			return 0, err
		}
		w.rest = rest
	}
	if len(w.rest) > maxHostLine {
		return 0, bufio.ErrTooLong
	}
	return len(p), nil
}

// flush passes on a last line that has no end.
func (w *cleanWriter) flush() {
	if len(w.rest) > 0 {
		_, _ = w.to.Write(cleanLine(w.rest)) // the end of the program reports the rest
		w.rest = nil
	}
}

// cleanLine returns line with its end, and with a space in place of each character that is
// not shown. The columns stay as they are.
func cleanLine(line []byte) []byte {
	text := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, strings.TrimRight(string(line), "\r"))
	return []byte(text + "\n")
}
