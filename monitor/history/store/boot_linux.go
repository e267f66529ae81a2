package store

import (
	"os"
	"strings"
)

// BootID names this run of the machine: a socket's id says nothing in another.
// It is "" where the system does not tell.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
