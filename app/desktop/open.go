package desktop

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// openTimeout limits how long launch waits. An opener usually exits after it has
// started the program; one that keeps running is the program itself.
const openTimeout = 3 * time.Second

// Open opens a URL in the default browser or a folder in the default file manager.
// It passes target to the desktop's opener as one argument, never through a shell.
// It returns when the opener exits, with its error, or after 3 s. It blocks, so it
// must not be called on Fyne's goroutine.
func Open(ctx context.Context, target string) error {
	name, args := "xdg-open", []string{target}
	switch runtime.GOOS {
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", target}
	case "darwin":
		name = "open"
	}
	if strings.HasPrefix(target, "-") {
		return fmt.Errorf("open %q: it would be parsed as an option", target)
	}
	if err := launch(ctx, exec.Command(name, args...)); err != nil { // without ctx: the browser outlives this process
		return fmt.Errorf("open %s: %w", target, err)
	}
	return nil
}

// launch starts cmd with ChildEnviron and waits until it exits, openTimeout has passed, or ctx
// ends.
func launch(ctx context.Context, cmd *exec.Cmd) error {
	name := filepath.Base(cmd.Path)
	if cmd.Env == nil {
		cmd.Env = ChildEnviron()
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with cmd
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("run %s: %w", name, err)
		}
	case <-time.After(openTimeout):
	case <-ctx.Done():
	}
	return nil
}
