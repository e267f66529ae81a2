package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/freeport"
	"porthole/internal/testhome"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

func init() {
	roles["forever"] = playForever
	roles["once"] = playOnce
}

// playForever listens and reads no input, like most servers.
func playForever() {
	child.Report(child.Listen())
	time.Sleep(10 * time.Minute) // a limit in case the test is killed
}

// playOnce is playForever, and fails if the file in its argument exists. It makes it.
func playOnce() {
	if _, err := os.Stat(os.Args[1]); err == nil {
		fmt.Println("it is no longer what it was, password=hunter2hunter2")
		os.Exit(3)
	}
	if err := os.WriteFile(os.Args[1], nil, 0o600); err != nil {
		child.Fail(err)
	}
	playForever()
}

// again runs restart for a port, answers with yes, and returns its output. The process
// that it started ends with the test.
func again(t *testing.T, port int, yes bool) (result restartJSON, output string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	o := restartOptions{stopOptions: stopOptions{Options: Options{JSON: true, Stdout: &out, Stderr: &errOut}, Confirm: func(context.Context, *stopping, string) error {
		if yes {
			return nil
		}
		return errStopCanceled
	}}}
	err = runRestart(t.Context(), strconv.Itoa(port), o)
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &result); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(-result.Started, syscall.SIGKILL) }) // its group; it may have ended
	}
	return result, errOut.String() + out.String() + fmt.Sprint(err), err
}

func TestRestart(t *testing.T) {
	testhome.New(t)
	port, folder := freeport.Get(t), t.TempDir()
	server := child.ServeVictim(t, "forever", withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", port)), child.With("--password", "hunter2hunter2"), func(c *exec.Cmd) {
		c.Dir, c.Env = folder, append(c.Env, "SHOP_SECRET=hunter2hunter2 with spaces")
	})
	before, err := process.Info(server.PID)
	if err != nil {
		t.Fatal(err)
	}
	environment, err := process.RawEnvironment(before)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := again(t, port, false); !errors.Is(err, errStopCanceled) || !accepts(port) {
		t.Fatalf("without a yes: got %v, accepting %t; want nothing stopped", err, accepts(port))
	}
	result, output, err := again(t, port, true)
	if err != nil || !result.Listening || result.Stopped != server.PID || result.Started == server.PID {
		t.Fatalf("got %+v, %v; %s", result, err, output)
	}
	if strings.Contains(output, "hunter2") || !strings.Contains(output, "--password") || !strings.Contains(output, folder) {
		t.Errorf("got %q, want the command and the folder, and the secret masked", output)
	}
	after, err := process.Info(result.Started)
	if err != nil {
		t.Fatal(err)
	}
	same, err := process.RawEnvironment(after)
	if err != nil || !slices.Equal(same, environment) {
		t.Errorf("got the environment %q, %v; want %q", same, err, environment)
	}
	if !slices.Equal(after.Command, before.Command) || after.Folder != before.Folder || after.Program != before.Program {
		t.Errorf("got %+v, want %+v", after, before)
	}
	info, err := os.Stat(result.Log)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("the log: got %v, %v; want its output, for this user only", info, err)
	}
	if sid, err := unixSession(result.Started); err != nil || sid != result.Started {
		t.Errorf("got session %d, %v; want one of its own", sid, err)
	}
}

// unixSession returns the session of a process: field 6 of /proc/PID/stat.
func unixSession(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))[3])
}

func TestRestartOfWhatFails(t *testing.T) {
	testhome.New(t)
	port := freeport.Get(t)
	child.ServeVictim(t, "once", withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", port)), child.With(t.TempDir()+"/ran"))
	_, output, err := again(t, port, true)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "it is no longer what it was") {
		t.Errorf("got %v, want how it ended and the end of its log", err)
	}
	if strings.Contains(output, "hunter2") {
		t.Errorf("got %q, want the secret masked", output)
	}
}

// A process whose command line is a title is started by the command of its parent; without
// such a parent nothing is stopped.
func TestRestartOfATitle(t *testing.T) {
	testhome.New(t)
	port := freeport.Get(t)
	child.ServeVictim(t, "forever", withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", port)), func(c *exec.Cmd) { c.Args = []string{"next-server (v15.0.1)"} })
	if _, _, err := again(t, port, true); err == nil || !strings.Contains(err.Error(), "title") || !accepts(port) {
		t.Errorf("got %v, accepting %t; want that nothing was stopped", err, accepts(port))
	}
}

func TestRestartByItsScript(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash, which sets the title")
	}
	testhome.New(t)
	port := freeport.Get(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := `(exec -a "next-server (v15.0.1)" "` + program + `"); true`
	child.ServeVictim(t, "forever", withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", port)), child.Running(bash), func(c *exec.Cmd) { c.Args = []string{"bash", "-c", script} })
	result, output, err := again(t, port, true)
	if err != nil || !result.Listening || len(result.Command) < 2 || result.Command[0] != "bash" {
		t.Errorf("got %+v, %v; want that bash runs the script again; %s", result, err, output)
	}
}

func TestRestartBadInput(t *testing.T) {
	if _, _, err := again(t, freeport.Get(t), true); err == nil || !strings.Contains(err.Error(), "nothing to stop") {
		t.Errorf("a free port: got %v", err)
	}
	for _, arg := range []string{"0", "x", "127.0.0.1"} {
		if err := runRestart(t.Context(), arg, restartOptions{stopOptions: stopOptions{Options: Options{Stderr: os.Stderr}}}); Status(err) != 2 {
			t.Errorf("%s: got %v, want a UsageError", arg, err)
		}
	}
}
