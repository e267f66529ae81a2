package process

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// Bounds of an environment: what is read, and what is returned of it.
const (
	maxEnvironment = 1 << 20 // bytes
	maxVariables   = 300
	maxVariable    = 300     // runes
	maxMaskInput   = 4 << 10 // bytes of a variable that are looked at for secrets: far more than is shown
)

// Environment returns what o was started with, a clean line for each variable,
// sorted, its secrets masked. Only this user's own processes are asked, also where
// root could see more: fs.ErrPermission for another's, os.ErrProcessDone where o has
// ended, errors.ErrUnsupported where the system does not tell. It may be called
// from any goroutine; nothing is kept.
func Environment(o monitor.Owner) ([]string, error) {
	p := &ps.Process{Pid: int32(o.PID)}
	uids, err := p.Uids()
	if err == nil && (len(uids) < 2 || int(uids[0]) != os.Getuid() || int(uids[1]) != os.Geteuid()) {
		return nil, fmt.Errorf("read the environment of process %d: %w", o.PID, fs.ErrPermission)
	}
	b, err := environment(o.PID)
	if !IsAlive(o.PID, o.Start) { // what was read may be another's
		return nil, fmt.Errorf("read the environment of process %d: %w", o.PID, os.ErrProcessDone)
	}
	if err != nil {
		return nil, err
	}
	return variables(b), nil
}

// variables are the entries of an environment, fit to be shown.
func variables(b []byte) []string {
	var lines []string
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		entry = entry[:min(len(entry), maxMaskInput)]
		if line := monitor.Clean(monitor.MaskVariable(string(entry)), maxVariable); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	if len(lines) > maxVariables {
		lines = append(lines[:maxVariables], "…")
	}
	return lines
}
