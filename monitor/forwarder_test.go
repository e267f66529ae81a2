package monitor

import (
	"strconv"
	"strings"
	"testing"
)

// Two containers on one port at two addresses are two listeners, regardless of
// which process of the engine listens for them.
func TestGroupSeparatesContainers(t *testing.T) {
	proxy := func(pid int, hostIP, target string) Owner {
		command := "docker-proxy -proto tcp -host-ip " + hostIP + " -host-port 3000 -container-ip " + target + " -container-port 80"
		return Owner{PID: pid, Start: uint64(pid), Program: "/usr/bin/docker-proxy", Command: strings.Fields(command), ParentPID: 5, User: "root"}
	}
	engine := func(name string) Owner { return Owner{PID: 5, Start: 5, Program: "/usr/bin/" + name, ParentPID: 2} }
	rootlessport := func(pid int) Owner {
		return Owner{PID: pid, Start: uint64(pid), Program: "/usr/lib/podman/rootlessport", Command: []string{"rootlessport"}, ParentPID: 900, User: "dana"}
	}
	unseen := func(id SocketID, address string) socketState {
		s := at(id, address)
		s.unknown = OwnerUnknown{Reason: UnknownForeign, CgroupInfo: CgroupInfo{Unit: "docker.service"}}
		return s
	}
	for name, test := range map[string]struct {
		sockets []socketState
		want    int
	}{
		"docker-proxy, one container":          {[]socketState{by(1, "0.0.0.0", proxy(10, "0.0.0.0", "172.17.0.2")), by(2, "::", proxy(11, "::", "172.17.0.2"))}, 1},
		"docker-proxy, two containers":         {[]socketState{by(1, "127.0.0.1", proxy(10, "127.0.0.1", "172.17.0.2")), by(2, "10.7.0.1", proxy(11, "10.7.0.1", "172.17.0.3"))}, 2},
		"dockerd, one container":               {[]socketState{by(1, "0.0.0.0", engine("dockerd")), by(2, "::", engine("dockerd"))}, 1},
		"dockerd, two containers":              {[]socketState{by(1, "127.0.0.1", engine("dockerd")), by(2, "10.7.0.1", engine("dockerd"))}, 2},
		"rootlesskit, two containers":          {[]socketState{by(1, "127.0.0.1", engine("rootlesskit")), by(2, "::1", engine("rootlesskit"))}, 2},
		"rootlessport, two containers":         {[]socketState{by(1, "127.0.0.1", rootlessport(10)), by(2, "10.7.0.1", rootlessport(11))}, 2},
		"rootlessport, one at two addresses":   {[]socketState{by(1, "127.0.0.1", rootlessport(10)), by(2, "10.7.0.1", rootlessport(10))}, 1},
		"owner unknown, the pair of one":       {[]socketState{unseen(1, "0.0.0.0"), unseen(2, "::")}, 1},
		"owner unknown, two containers":        {[]socketState{unseen(1, "127.0.0.1"), unseen(2, "10.7.0.1")}, 2},
		"a server that is no engine stays one": {[]socketState{by(1, "127.0.0.1", engine("nginx")), by(2, "10.7.0.1", engine("nginx"))}, 1},
	} {
		if got := group(test.sockets, nil); len(got) != test.want {
			t.Errorf("%s: got %d listeners (%s), want %d", name, len(got), formatListeners(got), test.want)
		}
	}
}

// The addresses of a publication are compared, not their number.
func TestGroupKeepsManyPublicationsApart(t *testing.T) {
	var sockets []socketState
	for i := range 5 {
		sockets = append(sockets, by(SocketID(i+1), "127.0.0."+strconv.Itoa(i+1), Owner{PID: 5, Start: 5, Program: "/usr/bin/dockerd"}))
	}
	if got := group(sockets, nil); len(got) != 5 {
		t.Errorf("got %s, want five listeners", formatListeners(got))
	}
}
