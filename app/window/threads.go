//go:build cgo && !race

package window

// checkGoroutine says whether Fyne asks at each refresh on which goroutine it is,
// for which it reads a whole trace: twice what Porthole itself does each second.
// The tests' programs, with the race detector, have it checked.
const checkGoroutine = false
