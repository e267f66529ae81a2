package monitor

import (
	"errors"
	"syscall"
)

// OutOfResources reports whether err means that the process or the system has run
// out of descriptors or memory. Such an error is temporary and has nothing to do
// with the file that was opened.
func OutOfResources(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
