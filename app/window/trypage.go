//go:build cgo

package window

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"porthole/app/paths"
	"porthole/app/trypage"
	"porthole/ui/ports"
)

// OpenTryPage opens the page for new users in a process of its own.
func (a actions) OpenTryPage(port uint16, changed func(open bool, err error)) {
	program, err := paths.Executable()
	if err != nil {
		a.p.log.Warn("can't open the page for new users", "error", err)
		changed(false, err)
		return
	}
	ctx, cancel := context.WithCancel(a.p.ctx)
	a.p.closeTryPage = cancel
	a.p.work.Go(func() {
		defer cancel()
		c := exec.Command(program, "try-page", fmt.Sprintf("--port=%d", port))
		c.Args[0] = "porthole"
		err := trypage.Run(ctx, c, func() { a.p.do(func() { changed(true, nil) }) })
		switch {
		case errors.Is(err, trypage.ErrInUse):
			err = ports.ErrPortInUse
		case err != nil:
			a.p.log.Warn("can't open the page for new users", "error", err)
		}
		a.p.do(func() { changed(false, err) })
	})
}

// CloseTryPage closes the page before its time.
func (a actions) CloseTryPage() {
	if a.p.closeTryPage != nil {
		a.p.closeTryPage()
	}
}
