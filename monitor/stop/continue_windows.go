package stop

import "syscall"

// continueSignal is not used: no process is seen to be suspended on Windows.
const continueSignal = syscall.Signal(0)
