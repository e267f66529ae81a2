package process

import (
	"bytes"
	"fmt"
	"os"
)

// Major number of the devices of pseudo terminals (Linux, Documentation/admin-guide/devices.txt).
const firstPTSMajor, lastPTSMajor = 136, 143

// PseudoTerminal returns the controlling terminal of pid if that is a pseudo terminal:
// "/dev/pts/3"; "" if not, or if it is unknown.
func PseudoTerminal(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "" // it has exited
	}
	return ptsName(statField(bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]), 7))
}

// ptsName returns the name of a pseudo terminal by its device number, as in field 7 of
// /proc/PID/stat (proc_pid_stat(5)): the minor number is in bits 31 to 20 and 7 to 0, the major
// number in bits 15 to 8.
func ptsName(device uint64) string {
	major, minor := device>>8&0xff, device>>12&0xfff00|device&0xff
	if major < firstPTSMajor || major > lastPTSMajor {
		return ""
	}
	return fmt.Sprintf("/dev/pts/%d", (major-firstPTSMajor)<<8+minor)
}
