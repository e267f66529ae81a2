package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// cgroupRoot is where the control groups are mounted (cgroups(7)).
var cgroupRoot = "/sys/fs/cgroup"

// IsFrozen reports whether the control group of pid is frozen, as an engine does with a
// paused container: cgroup.freeze in version 2 and freezer.state in version 1.
func IsFrozen(pid int) bool {
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return false
	}
	return isFrozen(table)
}

// isFrozen is IsFrozen for the contents of /proc/PID/cgroup, whose lines are
// ID:CONTROLLERS:PATH.
func isFrozen(table []byte) bool {
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), ":", 3)
		switch {
		case len(fields) != 3:
		case fields[0] == "0" && (holds(filepath.Join(cgroupRoot, fields[2], "cgroup.freeze"), "1") ||
			holds(filepath.Join(cgroupRoot, "unified", fields[2], "cgroup.freeze"), "1")),
			fields[1] == "freezer" && holds(filepath.Join(cgroupRoot, "freezer", fields[2], "freezer.state"), "FROZEN"):
			return true
		}
	}
	return false
}

// holds reports whether the file at path has exactly text as its first line.
func holds(path, text string) bool {
	content, err := os.ReadFile(path)
	return err == nil && strings.TrimSpace(string(content)) == text
}
