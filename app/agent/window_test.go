package agent

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

// The log has the reason and the whole stack of a panic of the window's, however
// it came: recovered, as one long line, or as Go's own report.
func TestAPanicOfTheWindowIsLoggedWithItsReasonAndItsStack(t *testing.T) {
	var frames strings.Builder
	for n := range 100 {
		fmt.Fprintf(&frames, "fyne.io/fyne/v2/internal/driver/glfw.(*window).frame%d(0xc000123456)\n\t/src/internal/driver/glfw/window.go:%d +0x1d\n", n, n)
	}
	var recovered bytes.Buffer
	slog.New(slog.NewTextHandler(&recovered, nil)).Error("the window panicked", "reason", "no such row", "stack", frames.String())
	for what, words := range map[string]string{
		"recovered":   recovered.String(),
		"Go's report": "Fyne says this\npanic: no such row\n\ngoroutine 7 [running]:\n" + frames.String(),
	} {
		a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		t.Cleanup(a.quit)
		var said bytes.Buffer
		a.log = slog.New(slog.NewTextHandler(&said, nil))
		tail := &tailWriter{}
		_, _ = tail.Write([]byte(words))
		a.window.reportCrash(2, errors.New("exit status 2"), tail.String())
		first, _, _ := strings.Cut(said.String(), "\n")
		if !strings.Contains(first, "no such row") {
			t.Errorf("%s: the error is %s; want the reason in it", what, first)
		}
		for _, want := range []string{"frame0(", "frame99("} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: the log has not all of the stack: no %s", what, want)
			}
		}
	}
}
