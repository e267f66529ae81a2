// Package socket reads the kernel's table of listening sockets from the best
// source that the system has; see Open. Each operating system has its own
// files.
package socket

import (
	"os/user"
	"strconv"
	"sync"
)

// userNames caches user names: a lookup may ask a directory server.
var userNames struct {
	sync.Mutex
	names map[uint32]string
}

// userName returns the name of uid, or the number if it has none.
func userName(uid uint32) string {
	userNames.Lock()
	defer userNames.Unlock()
	if name, ok := userNames.names[uid]; ok {
		return name
	}
	id := strconv.FormatUint(uint64(uid), 10)
	name := id
	if u, err := user.LookupId(id); err == nil && u.Username != "" {
		name = u.Username
	}
	if userNames.names == nil {
		userNames.names = make(map[uint32]string)
	}
	userNames.names[uid] = name
	return name
}
