//go:build !unix || darwin

package desktop

import "porthole/monitor/terminal"

// Windows gives no access to the windows of other programs on this system.
type Windows struct{ Session Session }

// Accessible reports false.
func (Windows) Accessible() bool { return false }

// List implements terminal.Windows.
func (Windows) List() ([]terminal.Window, error) { return nil, terminal.ErrNoAccess }

// Raise implements terminal.Windows.
func (Windows) Raise(uint32) error { return terminal.ErrNoAccess }
