package process

import ps "github.com/shirou/gopsutil/v3/process"

// PIDs returns the IDs of all visible processes; nil if the system does not list them. It is safe
// for concurrent use.
func PIDs() (pids []int) {
	all, err := ps.Pids()
	if err != nil {
		return nil
	}
	for _, pid := range all {
		pids = append(pids, int(pid))
	}
	return pids
}
