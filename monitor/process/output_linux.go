package process

import (
	"fmt"
	"os"
	"strings"
)

// outputOf returns the file that the standard output of pid goes to, "" if it is none or
// may not be read. It does not touch the file.
func outputOf(pid int) string {
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/1", pid))
	if err != nil || !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "/dev/") { // "pipe:[812]"
		return ""
	}
	return link
}
