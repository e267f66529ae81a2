package stop

import (
	"runtime"
	"strings"

	"porthole/monitor"
	uitheme "porthole/ui/theme"
)

// restartCommand returns the shell command that starts o again; "" if it is not
// known, or if its paths are in another mount namespace. It contains the secrets of the command line, because it would not work
// without them, so it is only copied at the user's request and never displayed.
func restartCommand(o monitor.Owner) string {
	if o.Inside || len(o.Command) == 0 || runtime.GOOS == "windows" { // its shells quote differently
		return ""
	}
	if strings.HasSuffix(o.Command[len(o.Command)-1], "…") { // truncated: see process.Facts
		return ""
	}
	command := monitor.ShellCommand(o.Command)
	if strings.HasPrefix(o.Folder, "/") {
		command = "cd " + monitor.ShellCommand([]string{o.Folder}) + " && " + command
	}
	return command
}

// startAgain runs the command of the stopped process again, once.
func (d *Dialog) startAgain() {
	d.again.Disable()
	d.stop.StartAgain(func(sentence string, failed bool) {
		color := uitheme.ColorOpen
		if failed {
			color = uitheme.ColorAlert
			d.again.Enable()
		}
		d.againNote.Set(sentence, color)
		d.resize()
	})
}
