package process

import (
	"bytes"
	"slices"
)

// Variables returns the values of the environment variables with these names that
// pid was started with, raw; those that are unset or may not be read are absent. It
// is safe for concurrent use.
func Variables(pid int, names ...string) map[string]string {
	b, _ := environment(pid) // what was read so far may have them
	values := make(map[string]string)
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		name, value, ok := bytes.Cut(entry, []byte("="))
		if ok && slices.Contains(names, string(name)) {
			values[string(name)] = string(value)
		}
	}
	return values
}
