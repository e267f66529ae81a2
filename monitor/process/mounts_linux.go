package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
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
	best := ""
	for _, point := range mountPoints() {
		if len(point) >= len(best) && (point == "/" || path == point || strings.HasPrefix(path, point+"/")) {
			best = point
		}
	}
	return best
}

// mountsFor is how long the mount points are used before they are read again. A system has
// dozens of them, and hundreds of folders are looked up at once.
const mountsFor = time.Second

// mounts are the mount points that were read last.
var mounts struct {
	sync.Mutex
	points []string
	at     time.Time
}

// mountPoints returns the mount points of this process; none if they cannot be read.
func mountPoints() []string {
	mounts.Lock()
	defer mounts.Unlock()
	if mounts.points != nil && time.Since(mounts.at) < mountsFor {
		return mounts.points
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	mounts.points, mounts.at = nil, time.Now()
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) >= 5 { // proc_pid_mountinfo(5): the fifth is the mount point
			mounts.points = append(mounts.points, unescape(string(fields[4])))
		}
	}
	return mounts.points
}

// unescape undoes how the kernel writes blanks and backslashes in mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
