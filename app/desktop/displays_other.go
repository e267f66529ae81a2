//go:build !unix || darwin

package desktop

// hasDisplayServer is true where the system itself is the display.
const hasDisplayServer = true
