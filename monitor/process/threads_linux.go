package process

import (
	"fmt"
	"os"
	"strconv"
)

// threads lists the threads of pid but the main one. There is a /proc/TID for
// each, though no listing of /proc shows it.
func threads(pid int) []int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil // it has ended, or may not be read
	}
	var ids []int
	for _, e := range entries {
		if id, err := strconv.Atoi(e.Name()); err == nil && id != pid {
			ids = append(ids, id)
		}
	}
	return ids
}
