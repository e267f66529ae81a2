package monitor

import "time"

// LookOnly dumps the table and compares, without a search for owners: what a
// Monitor does four times a second.
func (m *Monitor) LookOnly() error { return m.look(time.Now()) }
