//go:build !linux

package tunnel

import (
	"strings"

	"porthole/monitor/process"
)

// processIDs returns the PIDs of all visible processes; nil if the system does not list them.
func processIDs() []int { return process.PIDs() }

// processName returns the name of the program of a process; "" if it has ended.
func processName(pid int) string {
	o, err := process.Info(pid)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(o.Name), ".exe")
}

// socketInodes returns nil: the table of this system names the owners of its sockets, or
// nothing does.
func socketInodes(int) map[uint64]bool { return nil }

// isForeign returns false: processes of this system have one network.
func isForeign(int) bool { return false }

// folderOf returns the folder of a process; "/" if this user may not read it.
func folderOf(pid int) string {
	o, err := process.Info(pid)
	if err != nil || o.Folder == "" {
		return "/"
	}
	return o.Folder
}
