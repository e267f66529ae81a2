package socket

import (
	"errors"
	"log/slog"

	"porthole/monitor"
)

// Open returns the table of listening sockets, using the best source that this
// system allows; Table.Source names it. The sources are, in this order:
// sock_diag(7), which needs no privileges, with the kernel's close events or,
// without them, polled; /proc/net if a sandbox denies sock_diag; and gopsutil,
// which reads /proc in its own way, if that fails too. An error means that this
// process or the machine has run out of descriptors or memory. The caller closes
// the table.
func Open(log *slog.Logger) (Table, error) {
	var denied []error
	for _, open := range []func() (Table, error){
		func() (Table, error) { return openDiagTable() },
		func() (Table, error) { return newProcNet(), nil },
	} {
		t, err := tryOpen(open)
		if err == nil {
			if len(denied) > 0 {
				log.Warn("cannot use sock_diag; falling back to a slower source of sockets",
					"source", t.Source(), "problem", errors.Join(denied...))
			}
			return t, nil
		}
		if monitor.OutOfResources(err) {
			return nil, err // temporary: the best source may work next time
		}
		denied = append(denied, err)
	}
	t := newPortable()
	log.Warn("cannot use sock_diag or /proc/net; falling back to gopsutil, which is slower",
		"source", t.Source(), "problem", errors.Join(denied...))
	return t, nil
}

// tryOpen opens a table and polls it once.
func tryOpen(open func() (Table, error)) (Table, error) {
	t, err := open()
	if err != nil {
		return nil, err
	}
	if _, _, err := t.Poll(monitor.PollOptions{}); err != nil {
		_ = t.Close() // the error of the poll matters more
		return nil, err
	}
	return t, nil
}
