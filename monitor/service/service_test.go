package service

import (
	"strings"
	"testing"

	"porthole/monitor"
)

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		command, name, program string
		port                   uint16
		want                   string
	}{
		{"node /srv/acme/node_modules/.bin/vite --port 3000", "node", "/usr/bin/node", 3000, "Vite"},
		{"python3 manage.py runserver", "python3", "/usr/bin/python3", 8000, "Django"},
		{"python3 -m http.server 8000", "python3", "/usr/bin/python3", 8000, "http.server"},
		{"/usr/lib/postgresql/16/bin/postgres -D /data", "postgres", "", 5433, "PostgreSQL"},
		{"", "nginx:", "", 80, "nginx"},
		{"/usr/bin/docker-proxy -proto tcp -host-port 5432", "docker-proxy", "/usr/bin/docker-proxy", 5432, "docker-proxy"},
		{"node server.js", "node", "/usr/bin/node", 5432, "postgresql"},
		{"node server.js", "node", "/usr/bin/node", 62893, ""},
		{"server a b c d vite", "server", "", 62893, ""}, // too far behind to be the program
		{"", "", "", 62893, ""},
	} {
		l := &monitor.Listener{Port: test.port, Owners: []monitor.Owner{{
			Name: test.name, Program: test.program, Command: strings.Fields(test.command),
		}}}
		if Describe(l); l.Service != test.want {
			t.Errorf("%q on %d: %q, want %q", test.command, test.port, l.Service, test.want)
		}
	}
	l := &monitor.Listener{Port: 22}
	if Describe(l); l.Service != "ssh" {
		t.Errorf("port 22 of a hidden owner: %q, want ssh", l.Service)
	}
}
