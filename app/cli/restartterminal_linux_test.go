package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"porthole/app/startagain"
	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/internal/testhome"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
	"porthole/monitor/restart"
)

// hardArguments are arguments that a shell would read differently.
var hardArguments = []string{"two words", `it's "quoted"`, "$HOME `id` #(id)", "a\nb", "", "--password", "hunter2hunter2"}

// isPorthole makes the programs that this test starts without a role be Porthole.
func isPorthole(t *testing.T) {
	t.Helper()
	c := exec.Command("true")
	c.Env = []string{}
	child.SetRole(c, "porthole")
	for _, v := range c.Env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

// fakeTerminal installs x-terminal-emulator, which is that shell script, on a display that
// does not exist.
func fakeTerminal(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x-terminal-emulator"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("DISPLAY", ":none")
	isPorthole(t)
}

// inScript is a terminal without a window: script(1) writes what it shows to a file.
func inScript(t *testing.T) (shown func() string) {
	t.Helper()
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("needs script (bsdutils)")
	}
	file := filepath.Join(t.TempDir(), "shown")
	fakeTerminal(t, `[ "$1" = -e ] && shift && exec script -q -f -c "exec $*" `+file+` </dev/null >/dev/null`)
	return func() string {
		b, _ := os.ReadFile(file) // it need not exist yet
		return string(b)
	}
}

// victim starts a server on a free port with hard arguments and an environment of its own.
func victim(t *testing.T, change ...func(*exec.Cmd)) (_ child.Server, before monitor.Owner, environment []string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "my shop's")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s := child.ServeVictim(t, "forever", append(change, withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", freeport.Get(t))), child.With(hardArguments...), func(c *exec.Cmd) {
		c.Dir, c.Env = folder, append(c.Env, "SHOP=a b\n'c'", "TERM=vt52", "LATIN1=\xe4")
	})...)
	before, environment = known(t, s.PID)
	return s, before, environment
}

// known returns a process and its environment.
func known(t *testing.T, pid int) (monitor.Owner, []string) {
	t.Helper()
	o, err := process.Info(pid)
	if err != nil {
		t.Fatal(err)
	}
	o.Parents = process.Parents(o)
	environment, err := process.RawEnvironment(o)
	if err != nil {
		t.Fatal(err)
	}
	return o, environment
}

// wantSame checks that a process was started again as it was.
func wantSame(t *testing.T, pid int, before monitor.Owner, environment []string) {
	t.Helper()
	after, got := known(t, pid)
	if !slices.Equal(got, environment) {
		t.Errorf("got the environment %q; want %q", got, environment)
	}
	if !slices.Equal(after.Command, before.Command) || after.Folder != before.Folder || after.Program != before.Program {
		t.Errorf("got %q in %s; want %q in %s", after.Command, after.Folder, before.Command, before.Folder)
	}
}

// inTerminal runs restart --terminal --yes for a port and returns its result and output.
func inTerminal(t *testing.T, port int) (result restartJSON, output string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	o := restartOptions{Terminal: true, stopOptions: stopOptions{Yes: true, Options: Options{JSON: true, Stdout: &out, Stderr: &errOut}}}
	err = runRestart(t.Context(), strconv.Itoa(port), o)
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &result); err != nil {
			t.Fatal(err)
		}
		if result.Started > 0 {
			t.Cleanup(func() { _ = syscall.Kill(result.Started, syscall.SIGKILL) }) // it may have ended
		}
	}
	return result, errOut.String() + out.String() + fmt.Sprint(err), err
}

func TestRestartInTerminal(t *testing.T) {
	testhome.New(t)
	shown := inScript(t)
	server, before, environment := victim(t)
	result, output, err := inTerminal(t, server.Port)
	if err != nil || !result.Listening || result.Terminal != "x-terminal-emulator" || result.Log != "" {
		t.Fatalf("got %+v, %v; %s", result, err, output)
	}
	if !strings.Contains(output, "in a new window of x-terminal-emulator") || strings.Contains(output, "hunter2") {
		t.Errorf("got %q, want the terminal in it and no secret", output)
	}
	wantSame(t, result.Started, before, environment)
	if tty := process.PseudoTerminal(result.Started); tty == "" {
		t.Error("got no terminal")
	}
	if leftovers, err := filepath.Glob(os.Getenv(testhome.Runtime) + "/*/*.sock"); err != nil || len(leftovers) > 0 {
		t.Errorf("got the files %q, %v; want none", leftovers, err)
	}
	if err := syscall.Kill(result.Started, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the terminal shows the end", func() bool { return strings.Contains(shown(), "Press Enter to close.") })
	text := shown()
	for _, want := range []string{"Porthole runs again: ", "my shop", "The command has ended: signal: terminated."} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal shows %q; want %q in it", text, want)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("the terminal shows a secret: %q", text)
	}
}

// A terminal that fails must not cost the user the server.
func TestRestartInTerminalThatFails(t *testing.T) {
	testhome.New(t)
	fakeTerminal(t, "exit 3")
	server, before, environment := victim(t)
	result, output, err := inTerminal(t, server.Port)
	if err != nil || !result.Listening || result.Terminal != "" || result.Log == "" {
		t.Fatalf("got %+v, %v; want that it runs detached; %s", result, err, output)
	}
	if !strings.Contains(output, "no terminal opened (the terminal ended: exit status 3)") {
		t.Errorf("got %q, want the reason", output)
	}
	wantSame(t, result.Started, before, environment)
}

func TestRestartWithoutTerminal(t *testing.T) {
	testhome.New(t)
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	server, _, _ := victim(t)
	if _, output, err := inTerminal(t, server.Port); err == nil || !strings.Contains(output, "nothing was stopped") || !accepts(server.Port) {
		t.Errorf("got %v, accepting %t; want that nothing was stopped", err, accepts(server.Port))
	}
	for setting, want := range map[string]string{"no-such-terminal -e": "no-such-terminal", "xterm -e": "display"} {
		setSettings(t, "terminal: "+setting+"\n")
		if _, output, err := inTerminal(t, server.Port); err == nil || !strings.Contains(output, want) || !accepts(server.Port) {
			t.Errorf("%s: got %v, accepting %t; want %q", setting, err, accepts(server.Port), want)
		}
	}
}

// tmux is a server of tmux for a test.
type tmux struct {
	t      *testing.T
	socket string
}

func newTmux(t *testing.T) tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("needs tmux")
	}
	x := tmux{t, filepath.Join(testhome.Short(t), "tmux")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", x.socket, "kill-server").Run() }) // it may have ended
	return x
}

func (x tmux) run(args ...string) string {
	x.t.Helper()
	out, err := exec.CommandContext(x.t.Context(), "tmux", append([]string{"-S", x.socket, "-f", os.DevNull}, args...)...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// serve starts a server in a new window of tmux and returns its PID.
func (x tmux) serve(port int, args ...string) (pid int) {
	x.t.Helper()
	c := child.Command("forever", hardArguments...)
	program, err := os.Executable()
	if err != nil {
		x.t.Fatal(err)
	}
	c.Env = []string{"SHOP=a b\n'c'"}
	child.SetRole(c, "forever")
	child.At(fmt.Sprintf("127.0.0.1:%d", port))(c)
	withoutSettings(c)
	command := slices.Concat([]string{"env"}, c.Env, []string{program}, hardArguments)
	if _, err := fmt.Sscan(x.run(slices.Concat(args, []string{"-d", "-P", "-F", "#{pane_pid}", "--"}, command)...), &pid); err != nil {
		x.t.Fatal(err)
	}
	await.Until(x.t, "the server in tmux listens", func() bool { return accepts(port) })
	return pid
}

func TestRestartInTmux(t *testing.T) {
	testhome.New(t)
	isPorthole(t)
	x, port := newTmux(t), freeport.Get(t)
	x.run("new-session", "-d", "-s", "my work", "sleep", "600") // reads no terminal, so nothing ends it
	before, environment := known(t, x.serve(port, "new-window"))
	if panes := strings.Fields(x.run("list-panes", "-a", "-F", "#{pane_pid}")); len(panes) != 2 {
		t.Fatalf("got the panes %v; want two, or the session ends with the server", panes)
	}
	result, output, err := inTerminal(t, port)
	if err != nil || !result.Listening || result.Terminal != "tmux" {
		t.Fatalf("got %+v, %v; %s", result, err, output)
	}
	if !strings.Contains(output, "in a new window of the tmux session my work") {
		t.Errorf("got %q, want the session in it", output)
	}
	wantSame(t, result.Started, before, environment)
	after, _ := known(t, result.Started)
	if panes := strings.Fields(x.run("list-panes", "-a", "-F", "#{pane_pid}")); !slices.ContainsFunc(after.Parents, func(p monitor.Parent) bool {
		return slices.Contains(panes, strconv.Itoa(p.PID))
	}) {
		t.Errorf("got the parents %v; want one of the panes %v", after.Parents, panes)
	}
	// Once more, from the window that Porthole opened.
	if again, output, err := inTerminal(t, port); err != nil || again.Terminal != "tmux" {
		t.Errorf("once more: got %+v, %v; %s", again, err, output)
	}
}

// The session ends with the server if that was all in it.
func TestRestartInTmuxThatEnds(t *testing.T) {
	testhome.New(t)
	isPorthole(t)
	x, port := newTmux(t), freeport.Get(t)
	before, environment := known(t, x.serve(port, "new-session", "-s", "work"))
	result, output, err := inTerminal(t, port)
	if err != nil || !result.Listening || result.Log == "" || !strings.Contains(output, "no terminal opened") {
		t.Fatalf("got %+v, %v; want that it runs detached; %s", result, err, output)
	}
	wantSame(t, result.Started, before, environment)
}

func TestRestartHere(t *testing.T) {
	testhome.New(t)
	server, before, environment := victim(t)
	c := child.Command("porthole", "restart", strconv.Itoa(server.Port), "--here", "--yes")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the server listens again", func() bool { return !process.IsAlive(before.PID, before.Start) && accepts(server.Port) })
	again := listJSON(t, strconv.Itoa(server.Port))["listeners"].([]any)[0].(map[string]any)["owners"].([]any)[0].(map[string]any)
	pid := int(again["pid"].(float64))
	wantSame(t, pid, before, environment)
	if o, _ := known(t, pid); len(o.Parents) == 0 || o.Parents[0].PID != c.Process.Pid {
		t.Errorf("got the parents %v; want %d", o.Parents, c.Process.Pid)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil { // it passes it on
		t.Fatal(err)
	}
	_ = c.Wait() // its status is that of a killed program
	if accepts(server.Port) {
		t.Error("the server still runs")
	}
	if text := out.String(); !strings.Contains(text, "in this terminal") || strings.Contains(text, "hunter2") {
		t.Errorf("got %q, want where it runs, and no secret", text)
	}
}

func TestRestartHereStatus(t *testing.T) {
	testhome.New(t)
	port := freeport.Get(t)
	child.ServeVictim(t, "once", withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", port)), child.With(t.TempDir()+"/ran"))
	err := child.Command("porthole", "restart", strconv.Itoa(port), "--here", "--yes").Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 {
		t.Errorf("got %v, want the exit status 3 of the command", err)
	}
}

// Another process has taken the port between the stop and the start.
func TestRestartOfATakenPort(t *testing.T) {
	testhome.New(t)
	server, before, _ := victim(t)
	recipe, err := restart.Read(before)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := parseTarget(strconv.Itoa(server.Port))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := &restarting{restartOptions{stopOptions: stopOptions{Options: Options{Stdout: &out, Stderr: &out}}}, wanted, recipe, before, startagain.Place{}, filepath.Join(t.TempDir(), "log")}
	err = r.start(context.Background()) // the server itself has it still
	taken, ok := errors.AsType[startagain.TakenError](err)
	if !ok || taken.Listener.Owners[0].PID != server.PID {
		t.Errorf("got %v, want that the server has the port", err)
	}
	if err := r.checkOwner(t.Context(), os.Getpid()+1<<22); !errors.As(err, &taken) {
		t.Errorf("a listener of another process: got %v", err)
	}
}

// The program in the terminal reports what it can't start, and the terminal closes.
func TestRunAgainWithoutPorthole(t *testing.T) {
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out bytes.Buffer
	if err := runAgain(filepath.Join(t.TempDir(), "gone"), in, &out); err == nil || !strings.Contains(out.String(), "can't run the command here") {
		t.Errorf("got %v, %q", err, out.String())
	}
}
