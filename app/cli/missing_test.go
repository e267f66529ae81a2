package cli

import (
	"slices"
	"testing"

	"porthole/monitor"
)

func TestMissing(t *testing.T) {
	hung := func(pid int) monitor.Owner {
		return monitor.Owner{PID: pid, Name: "node", ProjectUnknown: monitor.UnknownDisk}
	}
	got := missing([]*monitor.Listener{
		{Port: 80, User: "4711", UserUnknown: monitor.UnknownNameService, Owners: []monitor.Owner{hung(1), hung(2), hung(3), hung(4)}},
		{Port: 81, Owners: []monitor.Owner{hung(1), {PID: 5, Name: "fine"}}, CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{NameUnknown: monitor.UnknownEngine}}},
	})
	want := []string{
		"container name unknown for port 81: the container engine does not answer",
		"project unknown for node (1), node (2), node (3) and 1 more: the disk with its folder does not answer",
		"user name unknown for port 80: the name service does not answer",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := missing([]*monitor.Listener{{Port: 80, Owners: []monitor.Owner{{PID: 1, Name: "node"}}}}); got != nil {
		t.Errorf("nothing is missing: got %q", got)
	}
}
