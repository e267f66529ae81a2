//go:build !linux

package store

// BootID is "": this system has no boot ID that is independent of clock changes.
// The start time of the owner is compared instead (see isSame).
func BootID() string { return "" }
