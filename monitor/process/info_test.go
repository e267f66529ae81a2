package process

import (
	"fmt"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process/child"
)

func TestInfo(t *testing.T) {
	before := time.Now()
	pid, _ := startChild(t, executable(t), "--port", "62893", "two words")
	o, err := Info(pid)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{executable(t), "--port", "62893", "two words"}; !slices.Equal(o.Command, want) {
		t.Errorf("Command = %q, want %q", o.Command, want)
	}
	if want := filepath.Base(executable(t)); o.Name != want {
		t.Errorf("Name = %q, want %q", o.Name, want)
	}
	if o.PID != pid || o.ParentPID != os.Getpid() || o.Program != executable(t) || o.Folder != folder {
		t.Errorf("Info = %+v; want PID %d of parent %d, program %s, folder %s", o, pid, os.Getpid(), executable(t), folder)
	}
	if u, err := user.Current(); err == nil && o.User != u.Username {
		t.Errorf("User = %q, want %q", o.User, u.Username)
	}
	if d := o.StartedAt.Sub(before); d < -2*time.Second || d > 10*time.Second {
		t.Errorf("StartedAt = %v, want about %v", o.StartedAt, before)
	}
	if _, offset := o.StartedAt.Zone(); offset != 0 {
		t.Errorf("StartedAt = %v, want UTC", o.StartedAt)
	}
	again, err := Info(pid)
	if err != nil || !again.Same(o) || !again.StartedAt.Equal(o.StartedAt) {
		t.Errorf("second call: got %+v, %v; want the same start as %+v", again, err, o)
	}
}

func TestExitedProcess(t *testing.T) {
	pid, end := startChild(t, executable(t))
	o, err := Info(pid)
	if err != nil || !IsAlive(pid, o.Start) {
		t.Fatalf("Info = %+v, %v, IsAlive = %t; want a running process", o, err, IsAlive(pid, o.Start))
	}
	if IsAlive(pid, o.Start+1) {
		t.Error("IsAlive = true for another start")
	}
	end()
	if IsAlive(pid, o.Start) {
		t.Error("IsAlive = true after its exit")
	}
	if o, err := Info(pid); err == nil {
		t.Errorf("Info = %+v after its exit, want an error", o)
	}
	if o, err := Info(math.MaxInt32); err == nil {
		t.Errorf("Info of an unused PID = %+v, want an error", o)
	}
}

func TestDeletedProgram(t *testing.T) {
	program := child.Copy(t, "server")
	pid, _ := startChild(t, program)
	if o, err := Info(pid); err != nil || o.Deleted {
		t.Errorf("Deleted = %t, %v, although the file exists", o.Deleted, err)
	}
	if err := os.Remove(program); err != nil {
		t.Skipf("this system does not delete the file of a running program: %v", err)
	}
	o, err := Info(pid)
	if err != nil || (o.Program != program && o.Program != "") || strings.Contains(o.Program, "deleted") {
		t.Errorf("Program = %q, %v; want %q", o.Program, err, program)
	}
	if runtime.GOOS == "linux" && !o.Deleted { // other systems do not report it
		t.Error("Deleted = false after its file was deleted")
	}
}

// An existing file may have a name that ends in " (deleted)".
func TestProgramNamedDeleted(t *testing.T) {
	program := child.Copy(t, "server"+deleted)
	pid, _ := startChild(t, program)
	o, err := Info(pid)
	CheckPaths(&o)
	if err != nil || o.Program != program || o.Deleted {
		t.Errorf("Info: program %q, deleted %t, %v; want %q, which exists", o.Program, o.Deleted, err, program)
	}
}

func TestLongName(t *testing.T) {
	name := "a-name-longer-than-fifteen-bytes"
	pid, _ := startChild(t, child.Copy(t, name))
	if o, err := Info(pid); err != nil || o.Name != name {
		t.Errorf("Name = %q, %v; want %q", o.Name, err, name)
	}
}

func TestNameOfMainThread(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux names threads so")
	}
	t.Setenv(child.NameVariable, "MainThread")
	pid, _ := startChild(t, executable(t))
	o, err := Info(pid)
	if want := filepath.Base(executable(t)); err != nil || o.Name != want {
		t.Errorf("Name = %q, %v; want %q", o.Name, err, want)
	}
}

func TestDisplayName(t *testing.T) {
	for _, test := range []struct {
		o    monitor.Owner
		want string
	}{
		{monitor.Owner{Name: "MainThread", Program: "/usr/bin/node", Command: []string{"node", "server.js"}}, "node"},
		{monitor.Owner{Name: "MainThread", Command: []string{"/opt/node/bin/node", "server.js"}}, "node"}, // another user's
		{monitor.Owner{Name: "MainThread"}, "MainThread"},
		{monitor.Owner{Name: "jupyter-noteboo", Program: "/usr/bin/python3.11", Command: []string{"/usr/bin/python3", "/usr/bin/jupyter-notebook"}}, "jupyter-notebook"},
		{monitor.Owner{Name: "/usr/bin/placku", Program: "/usr/bin/perl", Command: []string{"/usr/bin/plackup -p 5000 app.psgi"}}, "plackup"},
		{monitor.Owner{Name: "/usr/bin/placku", Program: "/usr/bin/perl"}, "placku"},
		{monitor.Owner{Name: "master", Program: "/usr/lib/postfix/sbin/master", Command: []string{"/usr/lib/postfix/sbin/master", "-w"}}, "Postfix master"},
		{monitor.Owner{Name: "master", Command: []string{"/usr/lib/postfix/sbin/master", "-w"}}, "Postfix master"},
		{monitor.Owner{Name: "master", Program: "/home/ann/master"}, "master"},
		{monitor.Owner{Name: "nsd: xfrd", Program: "/usr/sbin/nsd", Command: []string{"/usr/sbin/nsd", "-d", "-P", ""}}, "nsd"},
		{monitor.Owner{Name: "nsd: xfrd", Command: []string{"/usr/sbin/nsd", "-d"}}, "nsd"},
		{monitor.Owner{Name: "passt.avx2", Program: "/usr/bin/passt.avx2", Command: []string{"pasta", "-t", "8131"}}, "pasta"},
		{monitor.Owner{Name: "passt.avx2", Program: "/usr/bin/passt.avx2", Command: []string{"/usr/bin/passt", "-t", "8131"}}, "passt"},
		{monitor.Owner{Name: "passt.avx2"}, "passt"},
		{monitor.Owner{Name: "gunicorn: maste", Program: "/usr/bin/python3.11", Command: []string{"gunicorn: master [app:app]"}}, "gunicorn: master [app:app]"},
		{monitor.Owner{Name: "", Program: "/usr/bin/server"}, "server"},
		{monitor.Owner{Name: "", Command: []string{"/usr/bin/server", "-x"}}, "server"},
		{monitor.Owner{Name: "3", Program: "/usr/bin/server"}, "server"}, // started by fexecve(3)
		{monitor.Owner{Name: "exe", Program: "/usr/bin/rootlesskit", Command: []string{"/proc/self/exe"}}, "rootlesskit"},
		{monitor.Owner{Name: "python3", Program: "/usr/bin/python3.11", Command: []string{"python3", "/usr/sbin/wsdd", "--shortlog"}}, "wsdd"},
		{monitor.Owner{Name: "lua5.4", Program: "/usr/bin/lua5.4", Command: []string{"lua5.4", "/usr/bin/prosody", "-F"}}, "prosody"},
		{monitor.Owner{Name: "perl", Program: "/usr/bin/perl", Command: []string{"/usr/bin/perl", "-wT", "/usr/sbin/munin-node"}}, "munin-node"},
		{monitor.Owner{Name: "python3", Program: "/usr/bin/python3.11", Command: []string{"python3", "-m", "/usr/bin/x"}}, "python3"},
		{monitor.Owner{Name: "python3", Program: "/usr/bin/python3.11", Command: []string{"python3", "/home/ann/app.py"}}, "python3"},
		{monitor.Owner{Name: "renamed", Program: "/usr/bin/python3.11", Command: []string{"python3", "/usr/bin/tool"}}, "renamed"},
		{monitor.Owner{Name: "short", Program: "/bin/short-and-more"}, "short"},
		{monitor.Owner{Name: "fifteen-bytes-l", Program: "/bin/fifteen-bytes-long"}, "fifteen-bytes-long"},
		{monitor.Owner{Name: "fifteen-bytes-l", Program: "/bin/node", Command: []string{"/x/fifteen-bytes-long"}}, "fifteen-bytes-long"},
		{monitor.Owner{Name: "renamed-by-itse", Program: "/bin/node", Command: []string{"node"}}, "renamed-by-itse"},
		{monitor.Owner{Name: "nothing-is-know"}, "nothing-is-know"},
	} {
		if got := DisplayName(test.o.Name, test.o.Program, test.o.Command); got != test.want {
			t.Errorf("DisplayName of %+v = %q, want %q", test.o, got, test.want)
		}
	}
}

func TestTruncateCommand(t *testing.T) {
	many := truncateCommand(slices.Repeat([]string{"x"}, 10_000))
	if len(many) != maxArguments+1 || many[maxArguments] != "…" {
		t.Errorf("10,000 arguments: got %d, the last %q; want %d and …", len(many), many[len(many)-1], maxArguments+1)
	}
	long := truncateCommand([]string{"server", strings.Repeat("ä", maxCommand), "cut off"})
	if n := len(strings.Join(long, "")); n > maxCommand+20 || !strings.HasSuffix(long[1], "ä…") || long[len(long)-1] != "…" {
		t.Errorf("long argument: got %d bytes in %d arguments, want about %d that end in …", n, len(long), maxCommand)
	}
	if got := truncateCommand([]string{"server", "--port", "80"}); len(got) != 3 {
		t.Errorf("truncateCommand = %q, want an ordinary command unchanged", got)
	}
}

func TestParents(t *testing.T) {
	pid, _ := startChild(t, executable(t))
	o, err := Info(pid)
	if err != nil {
		t.Fatal(err)
	}
	chain := Parents(o)
	if len(chain) == 0 || chain[0].PID != os.Getpid() || len(chain[0].Command) == 0 || chain[0].Command[0] != os.Args[0] {
		t.Fatalf("Parents = %+v, want this test (%d, %q) first", chain, os.Getpid(), os.Args[0])
	}
	for i := range chain[1:] {
		if chain[i+1].Start > chain[i].Start {
			t.Errorf("parent %+v started after its child %+v", chain[i+1], chain[i])
		}
	}
	// The PID of an exited parent may be reused by a younger process.
	o.Start = 0
	if chain := Parents(o); len(chain) != 0 {
		t.Errorf("Parents of a process older than its parent = %+v, want none", chain)
	}
}

func ExampleIsAlive() {
	o, err := Info(os.Getpid())
	fmt.Println(err, IsAlive(o.PID, o.Start))
	// Output: <nil> true
}
