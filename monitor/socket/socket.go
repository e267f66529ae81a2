// Package socket reads the kernel's table of listening sockets, the best way
// that this system has. A file an OS; see Open.
package socket

import (
	"os/user"
	"strconv"
	"sync"
)

// userNames remembers the names of users: a lookup may ask a directory server.
var userNames struct {
	sync.Mutex
	names map[uint32]string
}

// userName returns the name of uid, or the number where it has none.
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
