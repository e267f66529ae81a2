//go:build !linux

package owner

// CgroupOf returns nothing: control groups are Linux's.
func CgroupOf(int) Cgroup { return Cgroup{} }
