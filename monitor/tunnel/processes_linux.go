package tunnel

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"porthole/monitor/owner"
)

// processIDs returns the PIDs of all visible processes; nil if /proc can't be read.
func processIDs() (pids []int) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1) // those that could be read
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processName returns the name of a process, which the kernel truncates to 15 bytes; "" if it
// has ended.
func processName(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// socketInodes returns the inodes of the sockets of a process; nil if this user may not read
// them.
func socketInodes(pid int) map[uint64]bool {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	inodes := map[uint64]bool{}
	for _, e := range entries {
		link, err := os.Readlink(folder + "/" + e.Name())
		number, isSocket := strings.CutPrefix(link, "socket:[")
		if err != nil || !isSocket {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64); err == nil {
			inodes[n] = true
		}
	}
	return inodes
}

// isForeign reports whether a process has another network than this one, such as that of a
// container. Which network a process of another user has may not be read; then it is another
// one if its control group is that of a container.
func isForeign(pid int) bool {
	its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	own, ownErr := os.Readlink("/proc/self/ns/net")
	if err != nil || ownErr != nil {
		return owner.CgroupOf(pid).ContainerID != ""
	}
	return its != own
}

// folderOf returns the folder of a process; "/" if this user may not read it.
func folderOf(pid int) string {
	folder, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return "/"
	}
	return folder
}
