//go:build cgo

package window

import "os"

// nameProcess calls this process "porthole" in ps and top: it was started
// through /proc/self/exe, and would be "exe" (proc_pid_comm(5)).
func nameProcess() {
	_ = os.WriteFile("/proc/self/comm", []byte("porthole"), 0) // a name is no more than that
}
