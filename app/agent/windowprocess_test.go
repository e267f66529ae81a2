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

// The log has the reason and the whole stack of a panic in the window, both if it
// was recovered (one long line) and if the Go runtime reported it.
func TestWindowPanicIsLoggedWithReasonAndStack(t *testing.T) {
	var frames strings.Builder
	for n := range 100 {
		fmt.Fprintf(&frames, "fyne.io/fyne/v2/internal/driver/glfw.(*window).frame%d(0xc000123456)\n\t/src/internal/driver/glfw/window.go:%d +0x1d\n", n, n)
	}
	var recovered bytes.Buffer
	slog.New(slog.NewTextHandler(&recovered, nil)).Error("the window panicked", "reason", "no such row", "stack", frames.String())
	for what, output := range map[string]string{
		"recovered":  recovered.String(),
		"Go runtime": "output of Fyne\npanic: no such row\n\ngoroutine 7 [running]:\n" + frames.String(),
	} {
		a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
		t.Cleanup(a.quit)
		var log bytes.Buffer
		a.log = slog.New(slog.NewTextHandler(&log, nil))
		tail := &tailWriter{}
		_, _ = tail.Write([]byte(output))
		a.window.reportCrash(2, errors.New("exit status 2"), tail.String())
		first, _, _ := strings.Cut(log.String(), "\n")
		if !strings.Contains(first, "no such row") {
			t.Errorf("%s: got first line %s, want the reason in it", what, first)
		}
		for _, want := range []string{"frame0(", "frame99("} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: the log lacks %s of the stack", what, want)
			}
		}
	}
}
