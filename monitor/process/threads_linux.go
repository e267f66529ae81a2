package process

import (
	"fmt"
	"os"
	"strconv"
)

// threads lists the threads of pid except the main thread. Each has a /proc/TID,
// although a listing of /proc does not show it.
func threads(pid int) []int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil // it has exited, or may not be read
	}
	var ids []int
	for _, e := range entries {
		if id, err := strconv.Atoi(e.Name()); err == nil && id != pid {
			ids = append(ids, id)
		}
	}
	return ids
}
