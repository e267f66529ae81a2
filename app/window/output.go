//go:build cgo

package window

import (
	"os"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/restart"
)

// outputLines is how many lines of a log a process window shows.
const outputLines = 12

// Output reads the end of the log that o writes to, if Porthole started it again.
func (a actions) Output(o monitor.Owner, done func(text string)) {
	if !paths.IsOutput(o.Output) {
		done("")
		return
	}
	a.p.work.Go(func() {
		text := strings.Join(restart.Tail(o.Output, outputLines), "\n")
		if text == "" {
			text = lang.L("No output yet")
		}
		a.p.do(func() { done(text) })
	})
}

// OpenLog opens the log that o writes to in the default program.
func (a actions) OpenLog(o monitor.Owner) {
	a.p.work.Go(func() {
		_, err := os.Stat(o.Output)
		if err == nil {
			err = desktop.Open(a.p.ctx, o.Output)
		}
		if err != nil {
			a.p.showFailure(lang.L("Can't open {{.Path}}. Check that xdg-utils is installed and that this desktop has an editor for text files.", map[string]any{"Path": monitor.Clean(o.Output, 300)}), err)
		}
	})
}
