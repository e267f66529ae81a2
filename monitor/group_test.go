package monitor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// at returns a socket on port 3000 that pids hold.
func at(id SocketID, address string, pids ...int) socketState {
	return socketState{
		socket: Socket{ID: id, Protocol: TCP, Address: netip.MustParseAddr(address), Port: 3000},
		owners: processes(pids...),
	}
}

func by(id SocketID, address string, owners ...Owner) socketState {
	s := at(id, address)
	s.owners = owners
	return s
}

// formatListeners formats listeners as "id=[addresses] pids", joined by "; ".
func formatListeners(listeners []*Listener) string {
	var out []string
	for _, l := range listeners {
		pids := []int{}
		for _, o := range l.Owners {
			pids = append(pids, o.PID)
		}
		out = append(out, fmt.Sprint(l.ID, "=", l.Addresses, " ", pids))
	}
	return strings.Join(out, "; ")
}

func TestGroup(t *testing.T) {
	worker := func(pid, parent int, user string) Owner {
		return Owner{PID: pid, Start: uint64(pid), Program: "/bin/server", ParentPID: parent, User: user, UserID: user}
	}
	node := func(pid int, folder string, command ...string) Owner {
		return Owner{PID: pid, Start: uint64(pid), Program: "/usr/bin/node", Command: command, Folder: folder, ParentPID: 9, User: "u"}
	}
	for _, test := range []struct {
		name string
		seen []socketState
		was  map[SocketID]string
		want string
	}{
		{
			"one server on both loopback addresses is one listener",
			[]socketState{at(1, "127.0.0.1", 10), at(2, "::1", 10)}, nil,
			"tcp-3000-1=[127.0.0.1 ::1] [10]",
		},
		{
			"two servers, one on each, are two listeners",
			[]socketState{at(1, "127.0.0.1", 10), at(2, "::1", 11)}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"127.0.0.1 and 127.0.0.2 of two servers are two listeners",
			[]socketState{at(1, "127.0.0.1", 10), at(2, "127.0.0.2", 11)}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[127.0.0.2] [11]",
		},
		{
			"the sockets of one SO_REUSEPORT address are one listener",
			[]socketState{at(1, "0.0.0.0", 10), at(2, "0.0.0.0", 11)}, nil,
			"tcp-3000-1=[0.0.0.0] [10 11]",
		},
		{
			"workers with the same program, parent and user are one listener",
			[]socketState{by(1, "127.0.0.1", worker(10, 9, "u")), by(2, "::1", worker(11, 9, "u"))}, nil,
			"tcp-3000-1=[127.0.0.1 ::1] [10 11]",
		},
		{
			"another user's are not",
			[]socketState{by(1, "127.0.0.1", worker(10, 9, "u")), by(2, "::1", worker(11, 9, "v"))}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"init is the parent of strangers",
			[]socketState{by(1, "127.0.0.1", worker(10, 1, "u")), by(2, "::1", worker(11, 1, "u"))}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"two scripts from one shell are two servers",
			[]socketState{by(1, "127.0.0.1", node(10, "/shop", "node", "a.js")), by(2, "::1", node(11, "/shop", "node", "b.js"))}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"one command in two folders is two servers",
			[]socketState{by(1, "127.0.0.1", node(10, "/shop", "node", "a.js")), by(2, "::1", node(11, "/blog", "node", "a.js"))}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"workers with the same command line in one folder are one listener",
			[]socketState{by(1, "127.0.0.1", node(10, "/shop", "node", "a.js")), by(2, "::1", node(11, "/shop", "node", "a.js"))}, nil,
			"tcp-3000-1=[127.0.0.1 ::1] [10 11]",
		},
		{
			"workers with numbers in their titles are one listener",
			[]socketState{by(1, "127.0.0.1", node(10, "/", "uWSGI worker 1")), by(2, "::1", node(11, "/", "uWSGI worker 2"))}, nil,
			"tcp-3000-1=[127.0.0.1 ::1] [10 11]",
		},
		{
			"the number of a script is no title",
			[]socketState{by(1, "127.0.0.1", node(10, "/", "node", "1.js")), by(2, "::1", node(11, "/", "node", "2.js"))}, nil,
			"tcp-3000-1=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"sockets without a visible owner stay separate",
			[]socketState{at(1, "127.0.0.1"), at(2, "::1")}, nil,
			"tcp-3000-1=[127.0.0.1] []; tcp-3000-2=[::1] []",
		},
		{
			"a listener keeps its ID when an older socket joins it",
			[]socketState{at(36, "127.0.0.1", 10), at(37, "::1", 10)}, map[SocketID]string{37: "b"},
			"b=[127.0.0.1 ::1] [10]",
		},
		{
			"in a merge the oldest socket's id stays",
			[]socketState{at(1, "127.0.0.1", 10), at(2, "::1", 10)}, map[SocketID]string{1: "a", 2: "b"},
			"a=[127.0.0.1 ::1] [10]",
		},
		{
			"in a split the oldest socket keeps the id",
			[]socketState{at(2, "::1", 11), at(1, "127.0.0.1", 10)}, map[SocketID]string{1: "a", 2: "a"},
			"a=[127.0.0.1] [10]; tcp-3000-2=[::1] [11]",
		},
		{
			"a new listener does not get the ID of another",
			[]socketState{at(1, "127.0.0.1", 10), at(2, "::1", 11), at(3, "127.0.0.2", 12)},
			map[SocketID]string{1: "a", 2: "a", 3: "tcp-3000-2"},
			"a=[127.0.0.1] [10]; tcp-3000-2-2=[::1] [11]; tcp-3000-2=[127.0.0.2] [12]",
		},
		{
			"the oldest owner is the principal, except PID 1",
			[]socketState{by(1, "127.0.0.1", process(1), process(30), process(20))}, nil,
			"tcp-3000-1=[127.0.0.1] [20 30 1]",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := formatListeners(group(test.seen, test.was)); got != test.want {
				t.Errorf("group:\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestGroupFields(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	first, second := at(1, "127.0.0.1", 10), at(2, "0.0.0.0", 10, 11)
	first.since, second.since = late, early
	first.socket.User = "alice"
	second.owners[0].Project, first.owners[0].Project = "shop", "shop"
	first.unknown = OwnerUnknown{Reason: "a reason that a visible owner overrides"}

	for _, owners := range [][]Owner{first.owners, second.owners} {
		for i := range owners {
			owners[i].User = ""
		}
	}

	l := group([]socketState{first, second}, nil)[0]
	if l.Exposure != ExposureNetwork || !l.Since.Equal(early) || l.User != "alice" || l.Project != "shop" || l.OwnerUnknown != "" {
		t.Errorf("exposure %s, since %v, user %q, project %q, reason %q; want network, the earliest, alice, shop, no reason",
			l.Exposure, l.Since, l.User, l.Project, l.OwnerUnknown)
	}
	for i, want := range [][]int{{10, 11}, {10}} { // 0.0.0.0 sorts before 127.0.0.1
		if got := l.Sockets[i].Owners; !slices.Equal(got, want) {
			t.Errorf("owners of the socket at %s = %v, want %v", l.Sockets[i].Address, got, want)
		}
	}

	second.owners[0].User, second.owners[1].User = "tor", "tor" // bound as root, then became tor
	first.owners, first.socket.User = second.owners, "root"
	if l := group([]socketState{first, second}, nil)[0]; l.User != "tor" {
		t.Errorf("user %q, want that of the process", l.User)
	}

	onDevice := func(id SocketID, device string, pid int) socketState {
		s := at(id, "0.0.0.0", pid)
		s.socket.Device = device
		return s
	}
	if got := formatListeners(group([]socketState{onDevice(1, "lo", 10), onDevice(2, "eth0", 11)}, nil)); got != "tcp-3000-1=[0.0.0.0] [10]; tcp-3000-2=[0.0.0.0] [11]" {
		t.Errorf("two servers, each on a device of its own: got %s, want two listeners", got)
	}

	pair := []socketState{at(4, "127.0.0.1"), at(5, "::1")}
	for _, test := range []struct {
		cgroup    CgroupInfo
		listeners int
	}{
		{CgroupInfo{}, 2},
		{CgroupInfo{Unit: "session-2.scope"}, 2}, // contains many programs
		{CgroupInfo{Unit: "session-2.scope", Inferred: &Owner{PID: 9, Start: 1}}, 1},
		{CgroupInfo{Unit: "cups.service"}, 1},
		{CgroupInfo{ContainerID: "3f2a"}, 1},
	} {
		for i := range pair {
			pair[i].unknown = OwnerUnknown{Reason: UnknownForeign, CgroupInfo: test.cgroup}
		}
		if got := group(pair, nil); len(got) != test.listeners || got[0].CgroupInfo != test.cgroup {
			t.Errorf("two sockets without an owner in %+v: got %d listeners in %+v, want %d", test.cgroup, len(got), got[0].CgroupInfo, test.listeners)
		}
	}

	unowned := at(3, "127.0.0.1")
	unowned.unknown = OwnerUnknown{Reason: UnknownForeign}
	if l := group([]socketState{unowned}, nil)[0]; l.OwnerUnknown != UnknownForeign || l.Owners == nil {
		t.Errorf("listener without an owner: reason %q, owners %v; want the reason, and an empty list that is not nil", l.OwnerUnknown, l.Owners)
	}
}

// A remote forward listens on both loopback addresses. Which of two logins has it is not
// known, but it is one forward.
func TestGroupRemoteForward(t *testing.T) {
	forward := func(id SocketID, address string, uid uint32) socketState {
		s := at(id, address)
		s.socket.UID, s.unknown.Reason = uid, UnknownRemoteForward
		return s
	}
	if l := group([]socketState{forward(1, "127.0.0.1", 1000), forward(2, "::1", 1000)}, nil); len(l) != 1 {
		t.Errorf("got %s, want one listener", formatListeners(l))
	}
	if l := group([]socketState{forward(1, "127.0.0.1", 1000), forward(2, "::1", 1001)}, nil); len(l) != 2 {
		t.Errorf("of two users: got %s, want two listeners", formatListeners(l))
	}
}

// Root sees the same unit as a user.
func TestGroupHasUnitOfPrincipal(t *testing.T) {
	l := group([]socketState{by(1, "127.0.0.1", Owner{PID: 10, Unit: "web.service"})}, nil)[0]
	if l.Unit != "web.service" || l.OwnerUnknown != "" {
		t.Errorf("got the unit %q, unknown %q; want web.service and a known owner", l.Unit, l.OwnerUnknown)
	}
}

// A socket unit is one listener, also for a user, and its service comes before systemd.
func TestGroupSocketUnit(t *testing.T) {
	unowned := func(id SocketID, address string) socketState {
		s := at(id, address)
		s.unknown = OwnerUnknown{Reason: UnknownForeign, CgroupInfo: CgroupInfo{Unit: "gpsd.socket"}}
		return s
	}
	if got := group([]socketState{unowned(1, "127.0.0.1"), unowned(2, "::1")}, nil); len(got) != 1 || got[0].Unit != "gpsd.socket" {
		t.Errorf("as a user: got %s, want one listener of gpsd.socket", formatListeners(got))
	}
	systemd := Owner{PID: 700, Start: 1, Program: "/usr/lib/systemd/systemd", Unit: "gpsd.socket"}
	gpsd := Owner{PID: 10, Start: 9, Program: "/usr/sbin/gpsd", Unit: "gpsd.service"}
	if l := group([]socketState{by(1, "127.0.0.1", systemd), by(2, "::1", systemd)}, nil); len(l) != 1 || l[0].Unit != "gpsd.socket" {
		t.Errorf("before the service starts: got %s, want one listener of gpsd.socket", formatListeners(l))
	}
	if l := group([]socketState{by(1, "127.0.0.1", systemd, gpsd)}, nil); l[0].Unit != "gpsd.service" || l[0].Owners[0].PID != 10 {
		t.Errorf("after the service started: got %s in %q, want gpsd first", formatListeners(l), l[0].Unit)
	}
	users := Owner{PID: 48, Start: 1, Program: "/usr/lib/systemd/systemd", Command: []string{"/lib/systemd/systemd", "--user"}, Unit: "init.scope"}
	if l := group([]socketState{by(1, "127.0.0.1", users, gpsd)}, nil); l[0].Owners[0].PID != 10 {
		t.Errorf("after a user's service started: got %s, want gpsd first", formatListeners(l))
	}
	other := systemd
	other.Unit = "other.socket"
	if l := group([]socketState{by(1, "127.0.0.1", systemd), by(2, "::1", other)}, nil); len(l) != 2 {
		t.Errorf("two socket units: got %s, want two listeners", formatListeners(l))
	}
}
