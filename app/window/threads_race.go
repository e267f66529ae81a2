//go:build race

package window

const threadsChecked = true
