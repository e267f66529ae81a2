package stop

import "syscall"

// signals are the signals that a process may be sent to end it, by name: Windows can
// only force quit.
var signals = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
