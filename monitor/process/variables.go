package process

import (
	"bytes"
	"slices"
)

// Variables returns the environment variables of pid with these names, as they were
// when it was started. The values are not masked. Variables that are unset or may
// not be read are absent. It is safe for concurrent use.
func Variables(pid int, names ...string) map[string]string {
	b, _ := environment(pid) // a partial result may contain them
	values := make(map[string]string)
	for entry := range bytes.SplitSeq(b, []byte{0}) {
		name, value, ok := bytes.Cut(entry, []byte("="))
		if ok && slices.Contains(names, string(name)) {
			values[string(name)] = string(value)
		}
	}
	return values
}
