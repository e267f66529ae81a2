package process

import (
	"sync"
	"time"
)

// readDeadline limits a read that a disk may never answer, and maxHanging the number
// of such reads that have not ended.
const (
	readDeadline = 200 * time.Millisecond
	maxHanging   = 16
)

// hanging has the keys of the reads that exceeded the deadline and have not ended.
var hanging struct {
	sync.Mutex
	keys map[string]bool
}

// readWithin returns the result of read, or the zero value if it takes longer than
// readDeadline: a folder can be on a network or FUSE mount that does not answer. The
// goroutine of such a read stays until the mount answers. Meanwhile the same key is
// not read again, and with maxHanging of them nothing is. readWithin is safe for
// concurrent use.
func readWithin[T any](key string, read func() T) (result T) {
	hanging.Lock()
	skip := hanging.keys[key] || len(hanging.keys) >= maxHanging
	hanging.Unlock()
	if skip {
		return result
	}
	done := make(chan T, 1)
	go func() { done <- read() }()
	late := time.NewTimer(readDeadline)
	defer late.Stop()
	select {
	case result = <-done:
		return result
	case <-late.C:
	}
	hanging.Lock()
	defer hanging.Unlock()
	if hanging.keys == nil {
		hanging.keys = make(map[string]bool)
	}
	hanging.keys[key] = true
	go func() {
		<-done
		hanging.Lock()
		delete(hanging.keys, key)
		hanging.Unlock()
	}()
	return result
}
