package warning

import (
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/ancestry"
)

// parents builds parents from "name|command line" texts, nearest first. PIDs count
// down to 1.
func parents(texts ...string) (parents []monitor.Parent) {
	for i, text := range texts {
		name, command, _ := strings.Cut(text, "|")
		parents = append(parents, monitor.Parent{PID: len(texts) - i, Name: name, Command: strings.Fields(command)})
	}
	return parents
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name     string
		owner    monitor.Owner
		exposure monitor.Exposure
		user     string
		state    monitor.ProcessState
		want     string
	}{
		{name: "nothing", owner: monitor.Owner{User: "you", Program: "/usr/bin/node"}},
		{name: "orphaned", owner: monitor.Owner{Parents: parents("npm run dev|npm run dev", "zsh|-zsh")}, state: monitor.ProcessState{EndedParents: map[int]bool{1: true}},
			want: "Started by npm run dev, whose terminal has closed: it was left behind. Stop it if it is not needed any more."},
		{name: "session leader ended", state: monitor.ProcessState{SessionLeaderEnded: true},
			want: "The leader of its session has ended: it was left behind by its terminal. Stop it if it is not needed any more."},
		{name: "deleted", owner: monitor.Owner{Deleted: true}, want: "Its program file was deleted or replaced since it started. Start it again to run what is there now."},
		{name: "folder deleted", state: monitor.ProcessState{FolderDeleted: true}, want: "Its folder was deleted since it started. Start it again in one that is there."},
		{name: "exposed", exposure: monitor.ExposureNetwork, want: "The network can reach it. Bind it to 127.0.0.1 unless others are to use it."},
		{name: "root", owner: monitor.Owner{User: "root"}, user: "you",
			want: "It runs as root. Run it as a user of its own where that is possible."},
		{name: "setuid root", owner: monitor.Owner{User: "ann"}, state: monitor.ProcessState{RunsAsRoot: true}, want: "It runs as root. Run it as a user of its own where that is possible."},
		{name: "socket opened by root", owner: monitor.Owner{User: "www-data"}, user: "root"},
		{name: "queue full", state: monitor.ProcessState{QueueFull: true, QueueLength: 129, QueueLimit: 128},
			want: "Its accept queue is full (129 of 128), so nobody gets in. Start it again if that lasts."},
		{name: "preload", state: monitor.ProcessState{Preload: "/tmp/x\n\u202e.so"}, want: "LD_PRELOAD puts other code into it (/tmp/x .so). Make sure that you know that library."},
		{name: "tmp", owner: monitor.Owner{Program: "/tmp/x/server"}, want: "Its program is in /tmp, where files come from elsewhere. Make sure that you know it."},
		{name: "similar name", owner: monitor.Owner{Program: "/tmpfiles/server"}},
		{name: "shm", owner: monitor.Owner{Program: "/dev/shm/x"}, want: "Its program is in /dev/shm, where files come from elsewhere. Make sure that you know it."},
		{name: "Downloads", owner: monitor.Owner{Program: "/home/a/Downloads/x"}, want: "Its program is in Downloads, where files come from elsewhere. Make sure that you know it."},
		{name: "a script", owner: monitor.Owner{Program: "/usr/bin/python3.11", Folder: "/var/tmp/a", Command: []string{"python3", "run.py"}},
			want: "Its program is in /var/tmp, where files come from elsewhere. Make sure that you know it."},
		{name: "a script after flags", owner: monitor.Owner{Command: []string{"python3", "-u", "-W", "error", "/tmp/x.py", "/home/a"}},
			want: "Its program is in /tmp, where files come from elsewhere. Make sure that you know it."},
		{name: "perl", owner: monitor.Owner{Command: []string{"/usr/bin/perl", "-w", "/tmp/x.pl"}}, want: "Its program is in /tmp, where files come from elsewhere. Make sure that you know it."},
		{name: "a shell script", owner: monitor.Owner{Folder: "/tmp", Command: []string{"bash", "-e", "./x.sh"}}, want: "Its program is in /tmp, where files come from elsewhere. Make sure that you know it."},
		{name: "php serves", owner: monitor.Owner{Command: []string{"php", "-S", "127.0.0.1:8000", "-t", "/tmp/x"}}},
		{name: "a jar", owner: monitor.Owner{Command: []string{"java", "-Xmx1g", "-jar", "/home/a/Downloads/x.jar"}}, want: "Its program is in Downloads, where files come from elsewhere. Make sure that you know it."},
		{name: "a class", owner: monitor.Owner{Folder: "/tmp/a", Command: []string{"java", "-cp", "/usr/share/x.jar", "Main"}}},
		{name: "a shell command", owner: monitor.Owner{Folder: "/tmp/a", Command: []string{"sh", "-c", "/usr/bin/server"}}},
		{name: "a module", owner: monitor.Owner{Folder: "/tmp/a", Command: []string{"python3", "-m", "http.server"}}},
		{name: "argument of a server", owner: monitor.Owner{Program: "/usr/bin/caddy", Command: []string{"caddy", "/tmp/x"}}},
		{name: "go run", owner: monitor.Owner{Program: "/tmp/go-build1/b001/exe/main", Parents: parents("go|go run .", "bash|bash")}},
		{name: "go run elsewhere", owner: monitor.Owner{Program: "/tmp/main", Parents: parents("go|go run .", "bash|bash")},
			want: "Its program is in /tmp, where files come from elsewhere. Make sure that you know it."},
	} {
		o := c.owner
		o.PID = 9
		l := &monitor.Listener{Exposure: c.exposure, User: c.user}
		why := ancestry.Explain(o, monitor.CgroupInfo{}, c.state)
		var got []string
		for _, w := range Check(l, o, why, c.state) {
			got = append(got, w.Sentence(why))
		}
		if s := strings.Join(got, "\n"); s != c.want {
			t.Errorf("%s: got %q, want %q", c.name, s, c.want)
		}
	}
}

// The engine's proxy always runs as root; users cannot change that.
func TestPublishedPortHasNoRootWarning(t *testing.T) {
	o := monitor.Owner{PID: 9, Name: "docker-proxy", User: "root"}
	for published, want := range map[bool]int{true: 0, false: 1} {
		l := &monitor.Listener{User: "root", CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{Name: "web", Published: published}}}
		if warnings := Check(l, o, ancestry.Explanation{}, monitor.ProcessState{}); len(warnings) != want {
			t.Errorf("published %t: got %+v, want %d warnings", published, warnings, want)
		}
	}
}

func TestCheckOwnerUnknown(t *testing.T) {
	warnings := Check(&monitor.Listener{Exposure: monitor.ExposureNetwork, User: "root"}, monitor.Owner{}, ancestry.Explanation{}, monitor.ProcessState{})
	if len(warnings) != 2 || warnings[0].Kind != RunsAsRoot || warnings[1].Kind != Exposed {
		t.Errorf("got %+v, want root and exposed", warnings)
	}
}
