package monitor

import "time"

// PollOnce polls without a search for owners, as a running Monitor does while
// sockets come and go.
func (m *Monitor) PollOnce() error { return m.poll(time.Now(), true) }
