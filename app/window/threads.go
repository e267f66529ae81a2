//go:build cgo && !race

package window

// checkGoroutine makes Fyne check at each refresh that it is on the right goroutine.
// Fyne reads a stack trace for that, which takes twice the CPU time of Porthole itself,
// so only builds with the race detector (those of the tests) check it.
const checkGoroutine = false
