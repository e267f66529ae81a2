//go:build !unix || darwin

package desktop

// builtinDisplay is true where the system itself is the display.
const builtinDisplay = true
