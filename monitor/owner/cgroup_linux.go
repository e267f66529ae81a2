package owner

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// CgroupOf returns the facts in the path of the control group of process pid.
// It returns the zero value if the group cannot be read. It is safe for
// concurrent use.
func CgroupOf(pid int) Cgroup {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return Cgroup{}
	}
	return parseCgroup(b)
}

// parseCgroup parses /proc/PID/cgroup (cgroups(7)). The line of cgroup2 begins with
// "0::"; if it names no unit, as on systems without cgroup2, systemd's own line is
// used.
func parseCgroup(b []byte) (c Cgroup) {
	for line := range bytes.Lines(b) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(fields) < 3 || fields[0] != "0" && fields[1] != "name=systemd" {
			continue
		}
		path := fields[2]
		c = Cgroup{Unit: unitOf(path), ContainerID: containerOf(path), UnitUser: unitUser(path), Podman: strings.Contains(path, "libpod-")}
		if c.Unit != "" || c.ContainerID != "" {
			return c
		}
	}
	return c
}

// unitUser returns the ID of the user whose systemd instance runs the units in a control
// group, from "user@1000.service" in its path; "" for those of the system's.
func unitUser(path string) string {
	_, rest, found := strings.Cut(path, "/user@")
	id, _, isInside := strings.Cut(rest, ".service/")
	if !found || !isInside || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}

// unitOfProcess returns the unit to show for a process in the group: "" in a
// container, because the unit is that of its engine.
func (c Cgroup) unitOfProcess() string {
	if c.ContainerID != "" {
		return ""
	}
	return c.Unit
}
