package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/monitor"
)

func TestStateResources(t *testing.T) {
	o, err := Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	before := State(o).Resources
	if before.Threads < 1 || before.Memory < 1<<20 || before.Memory > 8<<30 {
		t.Errorf("resources of this test: got %d threads and %d bytes of memory", before.Threads, before.Memory)
	}
	block := bytes.Repeat([]byte{1}, 64<<20)
	for deadline := time.Now().Add(10 * time.Second); State(o).Resources.CPU < before.CPU+100*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatalf("got CPU time %v after ten seconds of work, %v before", State(o).Resources.CPU, before.CPU)
		}
	}
	if after := State(o).Resources; after.Memory < before.Memory+60<<20 {
		t.Errorf("memory with 64 MB more: got %d bytes, %d before", after.Memory, before.Memory)
	}
	runtime.KeepAlive(block)
	o.Start++
	if used := State(o).Resources; used != (monitor.Resources{}) {
		t.Errorf("for another start: got %+v, want nothing", used)
	}
}

func TestUsageOfMalformedStat(t *testing.T) {
	real := []byte(" S 1 1 1 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 7 0 12345 1000000 2048 18446744073709551615")
	want := monitor.Resources{Threads: 7, Memory: 2048 * uint64(os.Getpagesize()), CPU: 4 * time.Second}
	if got := usageOf(bytes.Fields(real)); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
	for _, text := range []string{"", "S", "S x x x", "S -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1"} {
		if got := usageOf(bytes.Fields([]byte(text))); got != (monitor.Resources{}) {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// Only processes of this user are read, and secrets do not leave the package.
func TestEnvironment(t *testing.T) {
	start := func(change func(*exec.Cmd)) monitor.Owner {
		t.Helper()
		c := exec.Command("/bin/sleep", "60")
		c.Env = []string{"ZED=1", "API_TOKEN=hunter2", "A=x\x1b[31m\ny", "DB=pg://u:hunter2@h/", "PWD=/src"}
		change(c)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		var o monitor.Owner
		await.Until(t, "the child runs its program", func() bool {
			var err error
			o, err = Info(c.Process.Pid)
			return err == nil && strings.HasSuffix(o.Program, "sleep")
		})
		return o
	}
	o := start(func(*exec.Cmd) {})
	want := []string{"A=x [31m y", "API_TOKEN=•••", "DB=pg://u:•••@h/", "PWD=/src", "ZED=1"}
	if got, err := Environment(o); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	o.Start++
	if got, err := Environment(o); !errors.Is(err, os.ErrProcessDone) || got != nil {
		t.Errorf("for another start: got %q, %v", got, err)
	}
	if os.Geteuid() == 0 {
		other := start(func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4242, Gid: 4242}}
		})
		if got, err := Environment(other); !errors.Is(err, fs.ErrPermission) || got != nil {
			t.Errorf("process of another user: got %q, %v; want an error, even for root", got, err)
		}
	}
}

func TestLongEnvironment(t *testing.T) {
	lines := variables([]byte(strings.Repeat("A="+strings.Repeat("x", 300_000)+"\x00", maxVariables+2)))
	if len(lines) != maxVariables+1 || len([]rune(lines[0])) > maxVariable || variables(nil) != nil {
		t.Errorf("%d lines, the first with %d bytes", len(lines), len(lines[0]))
	}
}

// An open process window reads this of its process every second.
func BenchmarkState(b *testing.B) {
	o, err := Info(os.Getpid())
	if err != nil {
		b.Fatal(err)
	}
	o.Parents = Parents(o)
	for b.Loop() {
		State(o)
	}
}

func TestStateOfExitedProcess(t *testing.T) {
	self, err := Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if State(self).Ended {
		t.Error("Ended = true for this test")
	}
	self.Start++ // as if the PID was reused
	if !State(self).Ended {
		t.Error("Ended = false for another start")
	}
}

// A job of an interactive shell has a process group of its own, and outlives the shell;
// a daemon that forked twice is in the group of the session that it created.
func TestJobOfEndedShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash, which has job control without a terminal")
	}
	for name, c := range map[string]struct {
		script string
		want   bool
	}{
		"job control":           {`set -m; sleep 30 >/dev/null 2>&1 & echo $!`, true},
		"the shell lives":       {`set -m; sleep 30 >/dev/null 2>&1 & echo $!; read -r end`, false},
		"forked twice, like sh": {`sleep 30 >/dev/null 2>&1 & echo $!`, false},
	} {
		t.Run(name, func(t *testing.T) {
			shell := exec.Command(bash, "-c", c.script)
			shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			in, err := shell.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := shell.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := shell.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			if _, err := fmt.Fscan(out, &pid); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				_ = in.Close()
				_ = shell.Wait()
			})
			if name != "the shell lives" {
				if err := shell.Wait(); err != nil {
					t.Fatal(err)
				}
			}
			o, err := Info(pid)
			if err != nil {
				t.Fatal(err)
			}
			if got := State(o).ShellEnded; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
