package restart

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/internal/testhome"
)

// recipe returns a recipe of a program that does nothing.
func recipe(t *testing.T) *Recipe {
	t.Helper()
	path, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	return &Recipe{Command: []string{"true", "a b"}, Folder: t.TempDir(), program: path, environment: []string{"A=b\nc", "LATIN1=\xe4"}}
}

// The program in the terminal gets the recipe byte by byte and reports how the command
// ended.
func TestStartInTerminal(t *testing.T) {
	dir, r := testhome.Short(t), recipe(t)
	how, done := make(chan error, 1), make(chan struct{})
	open := func(_ context.Context, args []string) (<-chan error, error) {
		if info, err := os.Stat(args[1]); err != nil || info.Mode().Perm() != 0o600 || args[0] != "again" {
			t.Errorf("got %q, %v, %v; want a socket for this user only", args, info, err)
		}
		go func() {
			defer close(done)
			got, err := Receive(args[1])
			if err != nil {
				t.Error(err)
				return
			}
			if c := got.Cmd(); c.Path != r.program || c.Dir != r.Folder || strings.Join(c.Args, "|") != "true|a b" || strings.Join(c.Env, "|") != "A=b\nc|LATIN1=\xe4" {
				t.Errorf("got %+v", c)
			}
			if err := got.Started(812, nil); err != nil {
				t.Error(err)
			}
			got.Ended("exit status 4")
		}()
		ended := make(chan error, 1)
		ended <- nil // the terminal is that of a server that runs elsewhere
		return ended, nil
	}
	pid, err := r.StartInTerminal(t.Context(), dir, []string{"again"}, open, func(err error) { how <- err })
	if err != nil || pid != 812 {
		t.Fatalf("got %d, %v", pid, err)
	}
	<-done
	if err := <-how; err == nil || err.Error() != "exit status 4" {
		t.Errorf("got %v, want how it ended", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v; want that the socket is removed", left, err)
	}
}

func TestStartInTerminalThatFails(t *testing.T) {
	was := joinTime
	joinTime = 100 * time.Millisecond
	t.Cleanup(func() { joinTime = was })
	for name, test := range map[string]struct {
		open OpenTerminal
		want string
	}{
		"it can't be started": {func(context.Context, []string) (<-chan error, error) { return nil, errors.New("no such program") }, "no such program"},
		"it fails": {func(context.Context, []string) (<-chan error, error) {
			ended := make(chan error, 1)
			ended <- errors.New("exit status 1")
			return ended, nil
		}, "the terminal ended: exit status 1"},
		"it does nothing": {func(context.Context, []string) (<-chan error, error) { return nil, nil }, "did not run the command within"},
		"it talks nonsense": {func(_ context.Context, args []string) (<-chan error, error) {
			go func() {
				if c, err := net.Dial("unix", args[1]); err == nil {
					_, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
					_ = c.Close()
				}
			}()
			return nil, nil
		}, "terminal"},
		"it can't run the command": {func(_ context.Context, args []string) (<-chan error, error) {
			go func() {
				if got, err := Receive(args[1]); err == nil {
					_ = got.Started(0, errors.New("permission \x1b[31mdenied"))
				}
			}()
			return nil, nil
		}, "permission"},
	} {
		dir := testhome.Short(t)
		pid, err := recipe(t).StartInTerminal(t.Context(), dir, []string{"again"}, test.open, func(error) { t.Errorf("%s: it ended", name) })
		if pid != 0 || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: got %d, %v; want %q", name, pid, err, test.want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: got %v, %v; want that the socket is removed", name, left, err)
		}
	}
}

// What is gone by now can't be started; the error says so.
func TestStartOfWhatIsGone(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	folder := recipe(t)
	if err := os.Remove(folder.Folder); err != nil {
		t.Fatal(err)
	}
	program := recipe(t)
	program.program += "-gone"
	for name, r := range map[string]*Recipe{"in its folder": folder, "true-gone": program} {
		if pid, err := r.Start(log, func(error) {}); pid != 0 || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %d, %v; want %s in the error", pid, err, name)
		}
	}
}

// A line that is cut might begin after the name of a secret.
func TestTail(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if got := Tail(log, 3); got != nil {
		t.Errorf("without a log: got %q", got)
	}
	long := "password=" + strings.Repeat("hunter2", 2000)
	for text, want := range map[string]string{
		"":                          "",
		"a\n\nb\n":                  "a|b",
		"a\nb\nc\nd":                "b|c|d",
		"\x1b[31mred\x1b[0m\n":      "red",
		"password=hunter2hunter2\n": "password=•••",
		long + "\nlast\n":           "last",
		long:                        "",
		"a\x00b\xff\n":              "a b",
	} {
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(Tail(log, 3), "|"); got != want {
			t.Errorf("%.40q: got %q, want %q", text, got, want)
		}
	}
}
