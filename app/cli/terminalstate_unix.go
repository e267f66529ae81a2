//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// saveTerminal returns a function that restores the state of the terminal f and makes this
// process read from it again, after a program that ran in it.
func saveTerminal(f *os.File) (restore func()) {
	fd := int(f.Fd())
	state, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {} // it is no terminal
	}
	return func() {
		signal.Ignore(syscall.SIGTTOU) // else the calls would stop a process in the background (tcsetpgrp(3))
		defer signal.Reset(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, unix.Getpgrp()) // it may have closed
		_ = unix.IoctlSetTermios(fd, setTermios, state)                 // as above
	}
}
