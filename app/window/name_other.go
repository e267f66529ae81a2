//go:build cgo && !linux

package window

func nameProcess() {}
