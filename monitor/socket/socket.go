// Package socket reads the kernel's table of listening sockets from the best
// source that the system has; see Open. Each operating system has files of its
// own.
package socket

import (
	"os/user"
	"strconv"
	"sync"
	"time"
)

// The limits of user names: how long a poll waits for a directory server that may be
// unreachable, and how long a name that it did not find is not looked up again.
const (
	nameDeadline = 20 * time.Millisecond
	nameRetry    = time.Minute
)

// lookUpUser is user.LookupId, except in tests.
var lookUpUser = user.LookupId

// userNames caches user names: a lookup may ask a directory server.
var userNames struct {
	sync.Mutex
	names map[uint32]userEntry
}

// userEntry is the name of a user, or why there is none: it is being looked up, or was
// not found and is not looked up again before retry.
type userEntry struct {
	name    string
	running bool
	retry   time.Time
}

// userName returns the name of uid, or the number if it has none or if the lookup
// takes longer than nameDeadline. A late name is returned by later calls.
func userName(uid uint32) string {
	userNames.Lock()
	e := userNames.names[uid]
	start := e.name == "" && !e.running && !time.Now().Before(e.retry)
	if start {
		keepUser(uid, userEntry{running: true})
	}
	userNames.Unlock()
	if e.name != "" {
		return e.name
	}
	id := strconv.FormatUint(uint64(uid), 10)
	if !start {
		return id
	}
	done := make(chan string, 1)
	lookUp := lookUpUser
	go func() {
		e := userEntry{retry: time.Now().Add(nameRetry)}
		if u, err := lookUp(id); err == nil {
			e.name = u.Username
		}
		userNames.Lock()
		keepUser(uid, e)
		userNames.Unlock()
		done <- e.name
	}()
	late := time.NewTimer(nameDeadline)
	defer late.Stop()
	select {
	case name := <-done:
		if name != "" {
			return name
		}
	case <-late.C:
	}
	return id
}

// keepUser stores e. The caller holds the lock.
func keepUser(uid uint32, e userEntry) {
	if userNames.names == nil {
		userNames.names = make(map[uint32]userEntry)
	}
	userNames.names[uid] = e
}
