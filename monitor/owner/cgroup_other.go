//go:build !linux

package owner

// CgroupOf returns nothing: only Linux has control groups.
func CgroupOf(int) Cgroup { return Cgroup{} }
