// Package launch starts programs that outlive the process that starts them.
package launch

import "os/exec"

// Detach makes c, which has not been started, outlive this process, its terminal and its
// session. On Windows, processes do so anyway.
func Detach(c *exec.Cmd) { detach(c) }
