package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// sharesMounts reports whether pid is in the mount namespace of this process, so that
// a path means the same file to both. It is true if that cannot be read.
func sharesMounts(pid int) bool {
	its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return true
	}
	mine, err := os.Readlink("/proc/self/ns/mnt")
	return err != nil || its == mine
}

// MountOf returns the mount point that path is below, without asking the disk; "" if
// that cannot be found out.
func MountOf(path string) string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	best := ""
	for line := range bytes.Lines(mounts) {
		fields := bytes.Fields(line) // proc_pid_mountinfo(5): the fifth is the mount point
		if len(fields) < 5 {
			continue
		}
		point := unescape(string(fields[4]))
		if len(point) >= len(best) && (point == "/" || path == point || strings.HasPrefix(path, point+"/")) {
			best = point
		}
	}
	return best
}

// unescape undoes how the kernel writes blanks and backslashes in mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
