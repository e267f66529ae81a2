package owner

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// initialPIDNamespace is the link /proc/self/ns/pid in the PID namespace that
// contains all processes of the machine (PROC_PID_INIT_INO of linux/proc_ns.h).
const initialPIDNamespace = "pid:[4026531836]"

// InPIDNamespace reports whether this process is in a PID namespace of its own, such
// as that of a container, so that it cannot see the processes outside.
func InPIDNamespace() bool {
	link, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && link != initialPIDNamespace
}

// seesUser reports whether a process of a user is visible, or may be hidden by the
// option hidepid of /proc.
func (f *finder) seesUser(uid uint32) bool {
	dir, err := os.Open("/proc")
	if err != nil {
		return true // unknown
	}
	var first unix.Stat_t
	if unix.Stat("/proc/1", &first) != nil {
		_ = dir.Close()
		return true // hidepid hides the processes of other users
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // a partial list is better than none
	for _, name := range names {
		var stat unix.Stat_t
		if name[0] >= '1' && name[0] <= '9' && unix.Stat(fmt.Sprintf("/proc/%s", name), &stat) == nil && stat.Uid == uid {
			return true
		}
	}
	return false
}
