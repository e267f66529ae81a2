//go:build !unix || darwin

package agent

// busOnly is true where notifications go through the session bus or not at all.
const busOnly = false
