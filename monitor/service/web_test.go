package service

import (
	"testing"

	"porthole/monitor"
)

func TestSpeaksHTTP(t *testing.T) {
	owners := []monitor.Owner{{PID: 1}}
	for _, c := range []struct {
		l    monitor.Listener
		want bool
	}{
		{monitor.Listener{Service: "Vite", ServiceBy: monitor.ByCommand, Owners: owners}, true},
		{monitor.Listener{Service: "nginx", ServiceBy: monitor.ByProgram, Owners: owners}, true},
		{monitor.Listener{Framework: "Django", Owners: owners}, true},
		{monitor.Listener{Service: "Jupyter", ServiceBy: monitor.ByCommand, Owners: owners}, true},
		{monitor.Listener{Service: "HTTP", ServiceBy: monitor.ByPort}, true},
		{monitor.Listener{Service: "HTTP", ServiceBy: monitor.ByPort, Owners: owners}, false}, // only a guess
		{monitor.Listener{Service: "PostgreSQL", ServiceBy: monitor.ByProgram, Owners: owners}, false},
		{monitor.Listener{Service: "Redis", ServiceBy: monitor.ByProgram, Owners: owners}, false},
		{monitor.Listener{Service: "aiosmtpd", ServiceBy: monitor.ByCommand, Owners: owners}, false},
		{monitor.Listener{Service: "Node.js inspector", ServiceBy: monitor.ByCommand, Framework: "Vite", Owners: owners}, false},
		{monitor.Listener{Service: "SSH", ServiceBy: monitor.ByProgram, Owners: owners}, false},
		{monitor.Listener{Owners: owners}, false},
		{monitor.Listener{Service: "nginx", Protocol: monitor.UDP, ServiceBy: monitor.ByProgram, Owners: owners}, false},
	} {
		l := c.l
		if l.Protocol == "" {
			l.Protocol = monitor.TCP
		}
		if got := SpeaksHTTP(&l); got != c.want {
			t.Errorf("%q, framework %q: got %v, want %v", l.Service, l.Framework, got, c.want)
		}
	}
}
