// Package username finds the names of users. A name may come from a directory server
// that does not answer (NSS, nsswitch.conf(5)), so nothing here waits for it, except
// for Await.
package username

import (
	"bytes"
	"context"
	"os"
	"os/user"
	"strconv"
	"sync"
	"time"

	"porthole/monitor/lookup"
)

// retry is how long a name that was not found is not looked up again: the directory
// server may not have been started yet.
const retry = time.Minute

// passwd is the file of this machine's own users (passwd(5)).
const passwd = "/etc/passwd"

// findUser is user.LookupId, except in tests.
var findUser = user.LookupId

var names = newNames()

func newNames() *lookup.Table[uint32, string] {
	return lookup.New(find, nil, func(name string) time.Duration {
		if name == "" {
			return retry
		}
		return 0
	})
}

// readOnce reads passwd, whose names are then known without a look-up.
var readOnce = sync.OnceFunc(putLocal)

func putLocal() {
	for uid, name := range readPasswd() {
		names.Put(uid, name)
	}
}

// Load makes the names of this machine's own users known. It reads one local file the
// first time.
func Load() { readOnce() }

// Of returns the name of uid, or its number as long as no name is known. It is safe
// for concurrent use.
func Of(uid uint32) string {
	Load()
	name, _ := Get(uid)
	return name
}

// Get is Of with the state of the look-up. It reads no files: see Load.
func Get(uid uint32) (name string, a lookup.Answer[string]) {
	a = names.Get(uid)
	if a.Value == "" {
		return strconv.FormatUint(uint64(uid), 10), a
	}
	return a.Value, a
}

// Await is Of, and waits for an answer, for at most lookup.Deadline.
func Await(ctx context.Context, uid uint32) string {
	Load()
	ctx, cancel := context.WithTimeout(ctx, lookup.Deadline)
	defer cancel()
	names.Await(ctx, uid)
	name, _ := Get(uid)
	return name
}

// OnAnswer calls f, on any goroutine, whenever a name was found or is late, until the
// returned function is called.
func OnAnswer(f func()) (stop func()) { return names.OnAnswer(f) }

// find looks up a name, "" if there is none. The file comes first: the user may have
// been added to it a moment ago, and it always answers.
func find(uid uint32) string {
	if name := readPasswd()[uid]; name != "" {
		return name
	}
	u, err := findUser(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}

// readPasswd returns the users in passwd by number; none on systems without it. Of two
// names for one number the first counts, as for getpwuid(3).
func readPasswd() map[uint32]string {
	b, err := os.ReadFile(passwd)
	if err != nil {
		return nil
	}
	users := make(map[uint32]string)
	for line := range bytes.Lines(b) {
		fields := bytes.SplitN(line, []byte(":"), 4)
		if len(fields) < 4 || len(fields[0]) == 0 {
			continue
		}
		uid, err := strconv.ParseUint(string(fields[2]), 10, 32)
		if _, known := users[uint32(uid)]; err == nil && !known {
			users[uint32(uid)] = string(fields[0])
		}
	}
	return users
}
