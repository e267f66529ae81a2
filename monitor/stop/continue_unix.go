//go:build !windows

package stop

import "syscall"

// continueSignal continues a process that is suspended.
const continueSignal = syscall.SIGCONT
