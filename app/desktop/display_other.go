//go:build !unix || darwin

package desktop

// builtinDisplay is true on systems that always have their own display.
const builtinDisplay = true
