package development

import (
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

func TestIs(t *testing.T) {
	shell := []monitor.Parent{{PID: 9, Name: "bash", Command: []string{"bash"}}, {PID: 8, Name: "gnome-terminal-", Command: []string{"/usr/libexec/gnome-terminal-server"}}, {PID: 1, Name: "systemd"}}
	service := []monitor.Parent{{PID: 1, Name: "systemd", Command: []string{"/sbin/init"}}}
	for what, test := range map[string]struct {
		owner monitor.Owner
		info  monitor.CgroupInfo
		want  bool
	}{
		"a folder below a home folder":      {monitor.Owner{Folder: "/home/ann/src/shop", Parents: service}, monitor.CgroupInfo{}, true},
		"of root":                           {monitor.Owner{Folder: "/root/shop"}, monitor.CgroupInfo{}, true},
		"of a Mac":                          {monitor.Owner{Folder: "/Users/ann/shop"}, monitor.CgroupInfo{}, true},
		"on Windows":                        {monitor.Owner{Folder: `C:/Users/ann/shop`}, monitor.CgroupInfo{}, true},
		"a program below a home folder":     {monitor.Owner{Program: "/home/ann/go/bin/gopls", Folder: "/"}, monitor.CgroupInfo{}, true},
		"a desktop application":             {monitor.Owner{Program: "/usr/bin/spotify", Folder: "/home/ann", Unit: "app-gnome-spotify-812.scope"}, monitor.CgroupInfo{}, false},
		"a hidden folder":                   {monitor.Owner{Program: "/home/ann/.local/share/app/app", Folder: "/home/ann/.cache"}, monitor.CgroupInfo{}, false},
		"a project in a hidden folder":      {monitor.Owner{Folder: "/home/ann/.codex/worktrees/shop", Project: "shop"}, monitor.CgroupInfo{}, true},
		"a server of the system":            {monitor.Owner{Program: "/usr/sbin/cupsd", Folder: "/", Unit: "cups.service", Parents: service}, monitor.CgroupInfo{}, false},
		"from a terminal":                   {monitor.Owner{Folder: "/srv/shop", Parents: shell}, monitor.CgroupInfo{}, true},
		"in a container":                    {monitor.Owner{Folder: "/", Inside: true}, monitor.CgroupInfo{ContainerID: "0123"}, true},
		"published by an engine":            {monitor.Owner{Folder: "/"}, monitor.CgroupInfo{Container: &monitor.Container{Name: "db"}}, true},
		"a path in another mount namespace": {monitor.Owner{Folder: "/home/ann/shop", Inside: true}, monitor.CgroupInfo{}, false},
		"nothing is known":                  {monitor.Owner{}, monitor.CgroupInfo{}, false},
	} {
		l := &monitor.Listener{Port: 3000, CgroupInfo: test.info}
		if what != "nothing is known" {
			test.owner.PID, test.owner.Name = 10, "server"
			l.Owners = []monitor.Owner{test.owner}
		}
		if got := Is(l, ancestry.Explain(test.owner, l.CgroupInfo, monitor.ProcessState{})); got != test.want {
			t.Errorf("%s: got %v, want %v", what, got, test.want)
		}
	}
}
