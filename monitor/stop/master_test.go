package stop

import (
	"testing"

	"porthole/monitor"
)

func TestMaster(t *testing.T) {
	master := monitor.Owner{PID: 10, Start: 1, Name: "gunicorn"}
	worker := func(pid int) monitor.Owner {
		return monitor.Owner{PID: pid, Start: 2, Name: "gunicorn", ParentPID: 10, Parents: []monitor.Parent{{PID: 10, Start: 1, Name: "gunicorn"}}}
	}
	if got, ok := Master([]monitor.Owner{worker(11), master, worker(12)}); !ok || got.PID != 10 {
		t.Errorf("with two workers: got %d, %v, want 10", got.PID, ok)
	}
	for _, owners := range [][]monitor.Owner{nil, {master}, {worker(11), worker(12)}, {master, worker(11), {PID: 20, Start: 3}}} {
		if got, ok := Master(owners); ok {
			t.Errorf("Master of %d owners: got %d, want none", len(owners), got.PID)
		}
	}
}

func TestStarterOfShellText(t *testing.T) {
	for _, test := range []struct {
		command []string
		want    string
	}{
		{[]string{"bash", "-c", "cd /tmp/shop; while true; do node server.js; done"}, "bash"},
		{[]string{"/bin/sh", "-lc", "cd /tmp/shop; node server.js"}, "sh"},
		{[]string{"bash", "/srv/loop.sh", "-c", "x"}, "loop.sh"},
	} {
		o := monitor.Owner{PID: 30, ParentPID: 20, Parents: []monitor.Parent{{PID: 20, Start: 1, Name: "bash", Command: test.command}}}
		if got, ok := Starter(o); !ok || got.Name != test.want || got.PID != 20 {
			t.Errorf("Starter below %q: got %q (%d), %v, want %q (20)", test.command, got.Name, got.PID, ok, test.want)
		}
	}
}
