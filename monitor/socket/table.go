package socket

import (
	"io"

	"porthole/monitor"
)

// Table is a monitor.Table that holds something of the system's until it is
// closed.
type Table interface {
	monitor.Table
	io.Closer
}
