package notify

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// failingNotifier is a Notifier that fails so.
type failingNotifier struct{ err error }

func (f failingNotifier) Notify(context.Context, Notification) error { return f.err }
func (failingNotifier) Withdraw(context.Context, string) error       { return nil }
func (failingNotifier) Close()                                       {}

// shell makes a process that is not ours.
func shell(t *testing.T, script string) Subprocess {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("needs a shell: %v", err)
	}
	return NewSubprocess(func(ctx context.Context) (*exec.Cmd, error) { return exec.CommandContext(ctx, sh, "-c", script), nil })
}

func TestWhereTheBusFailsBeeepShows(t *testing.T) {
	to := filepath.Join(t.TempDir(), "note")
	n := WithFallback(failingNotifier{ErrNoService}, shell(t, "cat >"+to), slog.New(slog.DiscardHandler))
	if err := n.Notify(t.Context(), Notification{Title: "62893 is open", Body: "process 7"}); err != nil {
		t.Errorf("Notify: %v, want that it was shown", err)
	}
	b, err := os.ReadFile(to)
	if err != nil || string(b) != `{"Title":"62893 is open","Body":"process 7"}` {
		t.Errorf("the process read %q, %v", b, err)
	}
}

func TestWhereBothFailTheReasonsAreSaid(t *testing.T) {
	n := WithFallback(failingNotifier{ErrNoService}, shell(t, "echo nothing >&2; exit 3"), slog.New(slog.DiscardHandler))
	err := n.Notify(t.Context(), Notification{Title: "x"})
	if !errors.Is(err, ErrNoService) || !strings.HasSuffix(err.Error(), "by beeep: exit status 3: nothing") {
		t.Errorf("Notify: %v", err)
	}
}

func TestAServiceThatWasSilentIsNotAskedTwice(t *testing.T) {
	to := filepath.Join(t.TempDir(), "note")
	n := WithFallback(failingNotifier{ErrNoResponse}, shell(t, "cat >"+to), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Notify(ctx, Notification{Title: "x"}); !errors.Is(err, ErrNoResponse) {
		t.Errorf("Notify: %v, want %v", err, ErrNoResponse)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("beeep was asked")
	}
}

func TestAProcessThatHangsIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- shell(t, "exec sleep 600").Notify(ctx, Notification{Title: "x"}) }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it hung, and that is no error")
		}
	case <-time.After(testTimeout):
		t.Fatal("it is waited for")
	}
}

func TestADashAtTheBeginningIsNoOption(t *testing.T) {
	if got := escapeScript("--help is now on 80"); strings.HasPrefix(got, "-") {
		t.Errorf("safe: %q", got)
	}
}
