package socket

import (
	"io"

	"porthole/monitor"
)

// Table is a monitor.Table that holds system resources until it is closed.
type Table interface {
	monitor.Table
	io.Closer
}
