//go:build !linux

package process

import ps "github.com/shirou/gopsutil/v3/process"

// nameAndParent returns the name of pid and the PID of its parent.
func nameAndParent(pid int) (name string, parent int, _ error) {
	p := &ps.Process{Pid: int32(pid)}
	name, _ = p.Name() // empty if denied
	above, err := p.Ppid()
	return name, int(above), err
}

// arguments returns the command line of pid, nil if it may not be read.
func arguments(pid int) []string {
	command, _ := (&ps.Process{Pid: int32(pid)}).CmdlineSlice()
	return command
}

// userOf returns the name of the user of pid, which identifies the user here.
func userOf(pid int) (name, id string) {
	name, _ = (&ps.Process{Pid: int32(pid)}).Username() // empty if denied
	return name, name
}
