package process

import (
	"fmt"
	"os"
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
