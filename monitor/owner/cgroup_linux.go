package owner

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// CgroupOf returns what the control group of process pid tells, nothing where it
// cannot be read. It may be called from any goroutine.
func CgroupOf(pid int) Cgroup {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return Cgroup{}
	}
	return parseCgroup(b)
}

// parseCgroup reads /proc/PID/cgroup (cgroups(7)): the line of cgroup2 begins with
// "0::"; where that knows no unit, as it was before cgroup2, systemd's own does.
func parseCgroup(b []byte) (g Cgroup) {
	for line := range bytes.Lines(b) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(fields) < 3 || fields[0] != "0" && fields[1] != "name=systemd" {
			continue
		}
		path := fields[2]
		g = Cgroup{Unit: unitOf(path), ContainerID: containerOf(path), UserUnit: strings.Contains(path, "/user@"), Podman: strings.Contains(path, "libpod-")}
		if g.Unit != "" || g.ContainerID != "" {
			return g
		}
	}
	return g
}
