//go:build !unix || darwin

package desktop

// builtinDisplay is true on systems that always have a display of their own.
const builtinDisplay = true
