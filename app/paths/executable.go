package paths

import (
	"os"
	"runtime"
)

// Executable returns the program file of this process, even if it has been replaced or
// deleted, for a child process that must be of the same build.
func Executable() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil && runtime.GOOS == "linux" { // other systems have no such file
		return self, nil
	}
	return os.Executable()
}
