package owner

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/process/child"
	"porthole/monitor/socket"
	"porthole/monitor/username"
)

func TestMain(m *testing.M) {
	child.Main(m, child.Roles(map[string]func(){
		"searcher":   child.Reporting(playSearcher),
		"unreadable": child.Reporting(playUnreadable),
	}))
}

// searched is the report of a searcher about a socket.
type searched struct {
	Listed        bool
	Port, Holders int
	User, Unknown string
	Unit          string
	Inferred      int
}

// playUnreadable listens like sshd for a login, which its own user may not read.
func playUnreadable() child.Listening {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		child.Fail(err)
	}
	return child.Listen()
}

// playSearcher searches the holders of the socket with the inode number in the first
// argument.
func playSearcher() searched {
	var inode uint64
	if _, err := fmt.Sscan(os.Args[1], &inode); err != nil {
		child.Fail(err)
	}
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		child.Fail(err)
	}
	defer table.Close()
	all, _, err := table.Poll(monitor.PollOptions{Fresh: true})
	if err != nil {
		child.Fail(err)
	}
	for _, s := range all {
		if s.Inode != inode {
			continue
		}
		finder, holders := New(), 0
		finder.Find(context.Background(), monitor.Everywhere, []monitor.Socket{s}, func(monitor.Holding) { holders++ })
		unknown := finder.WhyUnknown(s)
		found := searched{Listed: true, Port: int(s.Port), User: username.Of(s.UID), Unknown: unknown.Reason, Holders: holders, Unit: unknown.Unit}
		if unknown.Inferred != nil {
			found.Inferred = unknown.Inferred.PID
		}
		return found
	}
	return searched{}
}
