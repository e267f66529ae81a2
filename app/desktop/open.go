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

// openTimeout is how long an opener is waited for. It hands the target over and
// ends; one that stays is the program itself, which is well then.
const openTimeout = 3 * time.Second

// Open opens a URL in the browser, or a folder in the file manager, as the
// desktop has it set. target goes to the desktop's opener as one argument,
// never through a shell. It returns when that has ended, or after 3 s; the error
// is the opener's. It may be called from any goroutine but Fyne's, which it
// would hold up.
func Open(ctx context.Context, target string) error {
	name, args := "xdg-open", []string{target}
	switch runtime.GOOS {
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", target}
	case "darwin":
		name = "open"
	}
	if strings.HasPrefix(target, "-") {
		return fmt.Errorf("open %q: it would be taken for an option", target)
	}
	if err := launch(ctx, exec.Command(name, args...)); err != nil { // not bound to ctx: what it opened outlives us
		return fmt.Errorf("open %s: %w", target, err)
	}
	return nil
}

// launch starts cmd and waits for its end, or openWait, or the end of ctx.
func launch(ctx context.Context, cmd *exec.Cmd) error {
	name := filepath.Base(cmd.Path)
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
