//go:build !linux

package owner

// CgroupOf returns the zero value: only Linux has control groups.
func CgroupOf(int) Cgroup { return Cgroup{} }
