//go:build cgo

package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/await"
	"porthole/internal/namespaces"
	"porthole/internal/testhome"
	"porthole/monitor"
	"porthole/monitor/process/child"
)

// stuck is how long a test waits for something that must not wait for what hangs.
const stuck = time.Minute

// maxHanging is how many threads may wait for one mount: package lookup has a limit of
// four for each kind of look-up.
const maxHanging = 12

// nameService is a module of the name service switch (nss(5)) that never answers.
const nameService = `
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <unistd.h>
enum nss_status _nss_hang_getpwuid_r(uid_t uid, struct passwd *p, char *b, size_t n, int *e) { for (;;) pause(); }
enum nss_status _nss_hang_getpwnam_r(const char *s, struct passwd *p, char *b, size_t n, int *e) { for (;;) pause(); }
`

// A FUSE mount, the C library's name service and a container engine never answer, all at
// once, and systemd listens for an engine that is not running. Owners are found and
// events arrive; list and who end and say what is missing; signals end events and the
// agent; what hangs is bounded, and ends with the hang.
func TestEverythingHangs(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount")
	}
	if !namespaces.Inside(t, unix.CLONE_NEWNS) {
		return
	}
	home := testhome.New(t)
	installHungNameService(t)

	const uid = 54321 // not in /etc/passwd
	folder := t.TempDir()
	inFolder := child.Serve(t, "listen", child.With("127.0.0.1:0"), func(c *exec.Cmd) { c.Dir = folder })
	foreign := func(c *exec.Cmd) {
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	ofUser := child.Serve(t, "listen", child.With("127.0.0.1:0"), foreign)
	published := child.Serve(t, "listen", child.With("127.0.0.1:0"), child.Running(child.Copy(t, "rootlessport")))
	activated := startEngine(t, "systemd", filepath.Join(home, "activated"))
	t.Setenv("CONTAINER_HOST", "unix://"+activated)
	t.Setenv("DOCKER_HOST", "unix://"+startEngine(t, "engine", filepath.Join(home, "hung")))
	// Whether this one runs is not found out: another socket of that name is on the mount.
	must(t, os.Mkdir(filepath.Join(home, "podman"), 0o700))
	startEngine(t, "other", filepath.Join(home, "podman", "podman.sock"))
	startEngine(t, "other", filepath.Join(folder, "podman.sock"))
	device := mountHungFolder(t, folder)

	wantMissing := func(args ...string) {
		t.Helper()
		out, errors := command(t, args...)
		for _, want := range []string{"project unknown for ", ": " + monitor.UnknownDisk, "user name unknown for port ", ": " + monitor.UnknownNameService, "container name unknown for port ", ": " + monitor.UnknownEngine} {
			if !strings.Contains(errors, want) {
				t.Errorf("%q: stderr lacks %q:\n%s%s", args, want, out, errors)
			}
		}
	}
	wantMissing("list")
	wantListed(t, map[int]listed{
		inFolder.Port:  {pid: inFolder.PID, project: monitor.UnknownDisk},
		ofUser.Port:    {pid: ofUser.PID, user: monitor.UnknownNameService},
		published.Port: {pid: published.PID, name: monitor.UnknownEngine},
	})
	for port, want := range map[int]string{inFolder.Port: monitor.UnknownDisk, ofUser.Port: monitor.UnknownNameService, published.Port: monitor.UnknownEngine} {
		if out, _ := command(t, "who", fmt.Sprint(port)); !strings.Contains(out, want) {
			t.Errorf("who %d does not say %q:\n%s", port, want, out)
		}
	}

	for _, signals := range [][]os.Signal{{syscall.SIGTERM}, {syscall.SIGINT, syscall.SIGINT}} {
		events := startCommand(t, "events")
		events.read(t, "watching")
		opened := child.Serve(t, "listen", child.With("127.0.0.1:0"), foreign)
		events.read(t, fmt.Sprintf("(%d)  127.0.0.1", opened.PID))
		if n := inFUSE(t, events.pid()); n > maxHanging {
			t.Errorf("%d threads of events wait for the disk, want at most %d", n, maxHanging)
		}
		events.end(t, signals...)
		opened.End()
	}

	agent := child.StartVictim(t, child.Command("agent"))
	agent.Line(t)
	waitAnswers(t, openDir(t))
	await.Until(t, "the agent waits for the disk", func() bool { return inFUSE(t, agent.PID) > 0 })
	if n := inFUSE(t, agent.PID); n > maxHanging {
		t.Errorf("%d threads of the agent wait for the disk, want at most %d", n, maxHanging)
	}
	must(t, unix.Close(device)) // all requests end with ENOTCONN
	await.Until(t, "no thread of the agent waits for the disk any more", func() bool { return inFUSE(t, agent.PID) == 0 })
	must(t, syscall.Kill(agent.PID, syscall.SIGTERM))
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = io.Copy(io.Discard, agent.Out) }()
	wantEnded(t, ended)
	if _, err := os.Stat(activated + ".connected"); err == nil {
		t.Error("something connected to the socket that systemd holds, which would start the engine")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// installHungNameService makes the C library ask a module that never answers.
func installHungNameService(t *testing.T) {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("needs a C compiler")
	}
	folder, err := os.MkdirTemp("", "nss") // every user must be able to read it
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	must(t, os.Chmod(folder, 0o755))
	source, configuration := filepath.Join(folder, "hang.c"), filepath.Join(folder, "nsswitch.conf")
	must(t, os.WriteFile(source, []byte(nameService), 0o644))
	must(t, os.WriteFile(configuration, []byte("passwd: files hang\n"), 0o644))
	if out, err := exec.CommandContext(t.Context(), compiler, "-shared", "-fPIC", "-o", filepath.Join(folder, "libnss_hang.so.2"), source).CombinedOutput(); err != nil {
		t.Fatalf("compile the name service: %v\n%s", err, out)
	}
	if err := unix.Mount(configuration, "/etc/nsswitch.conf", "", unix.MS_BIND, ""); err != nil {
		t.Skipf("this system's C library has no nsswitch.conf: %v", err)
	}
	t.Setenv("LD_LIBRARY_PATH", folder)
}

// mountHungFolder mounts a file system over folder that never answers, until the
// returned descriptor is closed.
func mountHungFolder(t *testing.T, folder string) (device int) {
	t.Helper()
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("needs FUSE: %v", err)
	}
	if err := unix.Mount("hung", folder, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", device)); err != nil {
		t.Skipf("cannot mount FUSE: %v", err)
	}
	t.Cleanup(func() { _ = unix.Close(device); _ = unix.Unmount(folder, unix.MNT_DETACH) })
	return device
}

// startEngine starts a program that listens on the socket at path and never answers.
func startEngine(t *testing.T, name, path string) string {
	t.Helper()
	c := child.Command("engine", path)
	c.Path = child.Copy(t, name)
	child.StartVictim(t, c).Line(t)
	return path
}

// command runs a command of Porthole, which must end, and returns what it printed.
func command(t *testing.T, args ...string) (out, errors string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stuck)
	defer cancel()
	like := child.Command("command", args...)
	c := exec.CommandContext(ctx, like.Path, args...)
	var stdout, stderr bytes.Buffer
	c.Env, c.Stdout, c.Stderr = like.Env, &stdout, &stderr
	begin := time.Now()
	if err := c.Run(); err != nil {
		t.Fatalf("%q: %v after %v\n%s%s", args, err, time.Since(begin), &stdout, &stderr)
	}
	t.Logf("%q took %v", args, time.Since(begin).Round(time.Millisecond))
	return stdout.String(), stderr.String()
}

// listed is what list --json says about a listener.
type listed struct {
	pid                 int
	project, user, name string // why they are unknown
}

func wantListed(t *testing.T, want map[int]listed) {
	t.Helper()
	out, _ := command(t, "list", "--json")
	var snapshot struct {
		Listeners []struct {
			Port   int
			Owners []struct {
				PID            int
				ProjectUnknown string `json:"project_unknown"`
				UserUnknown    string `json:"user_unknown"`
			}
			Container struct {
				NameUnknown string `json:"name_unknown"`
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &snapshot); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, l := range snapshot.Listeners {
		expected, ok := want[l.Port]
		if !ok {
			continue
		}
		delete(want, l.Port)
		got := listed{name: l.Container.NameUnknown}
		if len(l.Owners) > 0 {
			got.pid, got.project, got.user = l.Owners[0].PID, l.Owners[0].ProjectUnknown, l.Owners[0].UserUnknown
		}
		if got != expected {
			t.Errorf("port %d: got %+v, want %+v", l.Port, got, expected)
		}
	}
	if len(want) > 0 {
		t.Errorf("not listed: %+v", want)
	}
}

// running is a command of Porthole that runs until a signal ends it.
type running struct {
	*exec.Cmd
	lines  chan string
	exited chan error
}

func startCommand(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{Cmd: child.Command("command", args...), lines: make(chan string, 100), exited: make(chan error, 1)}
	out, w, err := os.Pipe()
	must(t, err)
	r.Stdout = w
	must(t, r.Start())
	_ = w.Close()
	go func() { // until the pipe ends
		defer out.Close()
		defer close(r.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.lines <- lines.Text()
		}
	}()
	go func() { r.exited <- r.Wait() }()
	t.Cleanup(func() { _ = r.Process.Kill() })
	return r
}

func (r *running) pid() int { return r.Process.Pid }

// read waits for a line with the text.
func (r *running) read(t *testing.T, text string) {
	t.Helper()
	late := time.After(stuck)
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				t.Fatalf("the output ended before %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			t.Fatalf("no line with %q", text)
		}
	}
}

// end sends the signals and waits for the exit.
func (r *running) end(t *testing.T, signals ...os.Signal) {
	t.Helper()
	for _, s := range signals {
		if err := r.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	}
	select {
	case <-r.exited:
	case <-time.After(stuck):
		t.Fatalf("still running after %v", signals)
	}
}

// inFUSE returns how many threads of pid wait for an answer of FUSE.
func inFUSE(t *testing.T, pid int) (n int) {
	t.Helper()
	stacks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", pid))
	must(t, err)
	for _, path := range stacks {
		if b, _ := os.ReadFile(path); strings.Contains(string(b), "fuse") || strings.Contains(string(b), "request_wait_answer") {
			n++
		}
	}
	return n
}
