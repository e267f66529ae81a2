package store

import (
	"os"
	"strings"
)

// BootID identifies this boot of the machine: socket IDs are only unique within
// one boot. It is "" if it cannot be read.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
