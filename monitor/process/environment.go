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
	b, err := ownEnvironment(o)
	if err != nil {
		return nil, err
	}
	return variables(b), nil
}

// RawEnvironment returns the environment that o was started with, with its secrets, to
// start the same command again. It must not be shown, stored or sent. Its errors are those
// of Environment; one that is too long is an error, too. It is safe for concurrent use and
// keeps nothing.
func RawEnvironment(o monitor.Owner) (entries []string, _ error) {
	b, err := ownEnvironment(o)
	if err != nil {
		return nil, err
	}
	if len(b) >= maxEnvironment {
		return nil, fmt.Errorf("the environment of process %d is too long", o.PID)
	}
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		if bytes.IndexByte(entry, '=') > 0 {
			entries = append(entries, string(entry))
		}
	}
	return entries, nil
}

// ownEnvironment returns the environment of o, a running process of this user.
func ownEnvironment(o monitor.Owner) ([]byte, error) {
	p := &ps.Process{Pid: int32(o.PID)}
	uids, err := p.Uids()
	if err == nil && (len(uids) < 2 || int(uids[0]) != os.Getuid() || int(uids[1]) != os.Geteuid()) {
		return nil, fmt.Errorf("read the environment of process %d: %w", o.PID, fs.ErrPermission)
	}
	b, err := environment(o.PID)
	if !IsAlive(o.PID, o.Start) { // what was read may belong to another process
		return nil, fmt.Errorf("read the environment of process %d: %w", o.PID, os.ErrProcessDone)
	}
	return b, err
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
