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

// Limits for what is read of an environment, and for what is returned.
const (
	maxEnvironment = 1 << 20 // bytes
	maxVariables   = 300
	maxVariable    = 300     // runes
	maxMaskInput   = 4 << 10 // bytes of a variable that are searched for secrets: far more than is shown
)

// Environment returns the environment that o was started with: one clean line per
// variable, sorted, with secrets masked. It reads only processes of this user, even
// as root. The error is fs.ErrPermission for another user's process,
// os.ErrProcessDone if o has exited, and errors.ErrUnsupported if the system does
// not provide environments. Environment is safe for concurrent use and keeps
// nothing.
func Environment(o monitor.Owner) ([]string, error) {
	p := &ps.Process{Pid: int32(o.PID)}
	uids, err := p.Uids()
	if err == nil && (len(uids) < 2 || int(uids[0]) != os.Getuid() || int(uids[1]) != os.Geteuid()) {
		return nil, fmt.Errorf("read the environment of process %d: %w", o.PID, fs.ErrPermission)
	}
	b, err := environment(o.PID)
	if !IsAlive(o.PID, o.Start) { // what was read may belong to another process
		return nil, fmt.Errorf("read the environment of process %d: %w", o.PID, os.ErrProcessDone)
	}
	if err != nil {
		return nil, err
	}
	return variables(b), nil
}

// variables returns the entries of an environment, cleaned for display.
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
