//go:build unix && !linux

package cli

import "golang.org/x/sys/unix"

// The requests of ioctl(2) that read and set the state of a terminal, after its output
// was written.
const getTermios, setTermios = unix.TIOCGETA, unix.TIOCSETAW
