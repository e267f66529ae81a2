//go:build cgo && race

package window

const checkGoroutine = true
