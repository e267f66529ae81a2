package cli

import (
	"bytes"
	"strings"
	"testing"

	"porthole/monitor"
)

func TestStopNamesMaster(t *testing.T) {
	const none = 1 << 29 // above the limit of PIDs
	master := monitor.Owner{PID: none, Start: 1, Name: "gunicorn"}
	owners := []monitor.Owner{master}
	for pid := none + 1; pid < none+4; pid++ {
		owners = append(owners, monitor.Owner{PID: pid, Start: 2, Name: "gunicorn", Parents: []monitor.Parent{{PID: none, Start: 1, Name: "gunicorn"}}})
	}
	l := &monitor.Listener{Port: 8000, Protocol: monitor.TCP, Owners: owners}
	print := func(pids ...int) string {
		var out bytes.Buffer
		st := stopping{stopOptions: stopOptions{Options: Options{Stdout: &out}, PIDs: pids}}
		st.printTargets(monitor.Snapshot{Listeners: []*monitor.Listener{l}}, l)
		return out.String()
	}
	if got := print(); strings.Count(got, ", master") != 1 || !strings.Contains(got, "gunicorn (536870912), master") || strings.Contains(got, "may start a new one") {
		t.Errorf("all owners: got %q, want one master", got)
	}
	if got := print(none + 2); !strings.Contains(got, "its master gunicorn (536870912) may start a new one") {
		t.Errorf("one worker: got %q, want that the master may start a new one", got)
	}
}
