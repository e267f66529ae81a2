//go:build cgo && race

package window

const threadsChecked = true
