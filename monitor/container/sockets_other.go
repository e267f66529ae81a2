//go:build !linux

package container

// engineSockets is empty: on other systems containers run in a virtual machine,
// whose processes are not visible here.
func engineSockets() []string { return nil }

func trusted(string) bool { return false }
