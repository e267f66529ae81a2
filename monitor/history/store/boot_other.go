//go:build !linux

package store

// BootID is "": this system has no name for a run of the machine that a step of
// its clock leaves alone. The start of the owners stands in (see goesOn).
func BootID() string { return "" }
