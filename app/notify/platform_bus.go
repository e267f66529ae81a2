//go:build unix && !darwin

package notify

// UsesBus reports whether this platform delivers notifications through the session bus.
const UsesBus = true
