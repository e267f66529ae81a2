package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/dockertest"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// starts returns how often each server is started: once, unless PORTHOLE_STARTS says more.
func starts() int {
	n, _ := strconv.Atoi(os.Getenv("PORTHOLE_STARTS")) // 0 if it is not set
	return max(1, n)
}

// The test's clocks. What they miss makes the reported times longer, by at most these.
const (
	tablePause = time.Millisecond      // between two dumps of the sockets
	treePause  = 10 * time.Millisecond // between two walks through the server's processes
	settled    = 2 * time.Second       // the processes stayed the same for so long: all are there
)

// server is a real server that has four workers, or as many as its program starts.
type server struct {
	name     string
	port     int
	files    map[string]string
	command  []string // in the folder with the files; the first program that is installed
	env      string
	outlives bool // the workers go on when the master is killed
}

var servers = []server{
	{
		name: "gunicorn", port: 8001, command: []string{"gunicorn", "-w", "4", "-b", "127.0.0.1:8001", "app:app"}, outlives: true, // for 15 seconds
		files: map[string]string{"app.py": "def app(environ, start):\n    start('200 OK', [])\n    return [b'']\n"},
	},
	{
		name: "nginx", port: 8002, command: []string{"nginx", "-p", ".", "-c", "nginx.conf"}, outlives: true,
		files: map[string]string{"nginx.conf": "daemon off; user root; worker_processes 4; pid nginx.pid; error_log stderr;\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:8002; return 204; } }\n"},
	},
	{
		name: "Apache", port: 8003, command: []string{"apache2", "-d", ".", "-f", "apache.conf", "-DFOREGROUND"}, outlives: true,
		files: map[string]string{"apache.conf": "ServerName localhost\nDefaultRuntimeDir .\nPidFile apache.pid\nErrorLog error.log\nLoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\nLoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\nUser www-data\nGroup www-data\nListen 127.0.0.1:8003\nStartServers 4\nMinSpareThreads 75\nMaxSpareThreads 250\nServerLimit 8\n"},
	},
	{
		name: "PHP-FPM", port: 8004, command: []string{"php-fpm8.2", "-F", "-R", "-n", "-p", ".", "-y", "fpm.conf"}, outlives: true,
		files: map[string]string{"fpm.conf": "[global]\nerror_log = fpm.log\n[www]\nuser = root\ngroup = root\nlisten = 127.0.0.1:8004\npm = static\npm.max_children = 4\n"},
	},
	{
		name: "node cluster", port: 8005, command: []string{"node", "cluster.js"}, env: "NODE_CLUSTER_SCHED_POLICY=none", // with the default, only the master has the socket
		files: map[string]string{"cluster.js": "const cluster = require('cluster')\nif (cluster.isPrimary) { for (let i = 0; i < 4; i++) cluster.fork() }\nelse require('http').createServer((q, r) => r.end()).listen(8005, '127.0.0.1')\n"},
	},
}

// All owners of a server with workers are known soon after the last of them has started,
// the master first, and its end is one change of owner if the workers go on.
func TestRealServersWithWorkers(t *testing.T) {
	if !dockertest.Isolated(t) {
		return
	}
	if err := errors.Join(os.Chmod("/run", 0o755), os.MkdirAll("/run/lock", 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			if _, err := exec.LookPath(s.command[0]); err != nil {
				t.Skipf("needs %s: %v", s.command[0], err)
			}
			var all []times
			for range starts() {
				all = append(all, s.measure(t))
			}
			median := func(of func(times) time.Duration) time.Duration {
				slices.SortFunc(all, func(a, b times) int { return int(of(a) - of(b)) })
				return of(all[len(all)/2]).Round(time.Millisecond)
			}
			t.Logf("%s, median of %d starts: from listen(2) to the last worker %v, to the opening %v, to all owners in a snapshot %v; owners %d",
				s.name, len(all), median(func(m times) time.Duration { return m.complete }), median(func(m times) time.Duration { return m.opened }),
				median(func(m times) time.Duration { return m.shown }), all[0].owners)
		})
	}
}

// times are what one start took, from listen(2).
type times struct {
	complete time.Duration // until the last process had the socket
	opened   time.Duration // until the Monitor published the opening
	shown    time.Duration // until it published a snapshot with all processes, the master first
	owners   int
}

// running is a started server, which the caller must stop.
type running struct {
	server
	c      *exec.Cmd
	folder string
	w      *follower
}

// start starts a Monitor and then the server.
func (s server) start(t *testing.T) *running {
	t.Helper()
	r := &running{server: s, folder: t.TempDir()}
	for name, text := range s.files {
		if err := os.WriteFile(filepath.Join(r.folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(r.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	r.w = follow(t, s.port)
	log, err := os.Create(filepath.Join(r.folder, "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r.c = exec.Command(s.command[0], s.command[1:]...)
	r.c.Dir, r.c.Env, r.c.Stdout, r.c.Stderr = r.folder, append(os.Environ(), s.env), log, log
	r.c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.c.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// killMaster kills the first process and waits for it.
func (r *running) killMaster() {
	_ = r.c.Process.Kill() // it may have ended
	_ = r.c.Wait()         // the error is that it was killed
}

// stop kills what is left of the server.
func (r *running) stop(t *testing.T) {
	_ = syscall.Kill(-r.c.Process.Pid, syscall.SIGKILL) // ESRCH: all have ended
	if r.c.ProcessState == nil {
		_ = r.c.Wait()
	}
	r.w.until(t, "the server has ended", func() bool { return len(r.w.pids()) == 0 })
}

// measure starts the server, waits until the Monitor knows all its processes, and kills
// the master.
func (s server) measure(t *testing.T) times {
	t.Helper()
	r := s.start(t)
	defer r.stop(t)
	w, master := r.w, r.c.Process.Pid
	listening, inode := awaitListener(t, s.port, r.folder)
	truth, complete := awaitWorkers(t, master, inode)
	w.until(t, fmt.Sprintf("the owners are %v, the master %d first", truth, master), func() bool { return isComplete(w.pids(), truth, master) })
	history, _, opened := w.seen()
	m := times{complete: complete.Sub(listening), owners: len(truth), opened: opened.Sub(listening)}
	for _, seen := range history {
		if isComplete(seen.pids, truth, master) {
			m.shown = seen.at.Sub(listening)
			break
		}
	}
	if first := history[0].pids; len(first) == 0 || first[0] != master {
		t.Errorf("the opening names %v, want the master %d first", first, master)
	}
	if len(truth) < 3 {
		t.Errorf("got the owners %v, want a master with several workers", truth)
	}
	r.killMaster()
	if !s.outlives {
		w.until(t, "the workers have ended", func() bool { return len(w.pids()) == 0 })
		return m
	}
	w.wantOneChange(t)
	return m
}

// A master that ends as soon as its workers have started is reported, although no search
// has found the workers by then.
func TestRealMasterThatEndsEarly(t *testing.T) {
	if !dockertest.Isolated(t) {
		return
	}
	for _, s := range servers {
		if _, err := exec.LookPath(s.command[0]); err != nil || !s.outlives {
			continue // the other test says so
		}
		t.Run(s.name, func(t *testing.T) {
			r := s.start(t)
			defer r.stop(t)
			_, inode := awaitListener(t, s.port, r.folder)
			await.Until(t, "there are workers", func() bool { return len(holders(r.c.Process.Pid, inode)) > 2 })
			r.w.until(t, "the opening is published", func() bool { return len(r.w.pids()) > 0 })
			workers := holders(r.c.Process.Pid, inode)[1:]
			r.killMaster()
			r.w.until(t, fmt.Sprintf("the owners are at least %v", workers), func() bool {
				return !slices.ContainsFunc(workers, func(pid int) bool { return !slices.Contains(r.w.pids(), pid) })
			})
			r.w.wantOneChange(t)
		})
	}
}

// wantOneChange waits for the change of owner after the master was killed, and fails
// unless it is the only event.
func (w *follower) wantOneChange(t *testing.T) {
	t.Helper()
	w.until(t, "the owner changes", func() bool { _, kinds, _ := w.seen(); return slices.Contains(kinds, monitor.OwnerChanged) })
	time.Sleep(settled) // a second change would come now
	_, kinds, _ := w.seen()
	if got := fmt.Sprint(kinds); got != "[opened owner_changed]" {
		t.Errorf("after the master was killed: got events %s, want one change of owner", got)
	}
}

// isComplete reports whether the owners got are those of want, the master first.
func isComplete(got, want []int, master int) bool {
	if len(got) == 0 || got[0] != master {
		return false
	}
	got = slices.Sorted(slices.Values(got))
	return slices.Equal(got, want)
}

// follower is a running Monitor, with what it published about one port.
type follower struct {
	port    int
	updates *monitor.Subscription

	mu      sync.Mutex // guards the fields below
	history []published
	kinds   []monitor.Kind // of the events, without updates
	opened  time.Time
}

// published are the owners of the port in one snapshot.
type published struct {
	at   time.Time
	pids []int
}

// follow starts a Monitor with its usual options, and waits for the first snapshot.
func follow(t *testing.T, port int) *follower {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	table, err := socket.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	m := monitor.New(table, owner.New(), monitor.Options{Logger: log})
	w := &follower{port: port, updates: m.Subscribe()}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { m.Run(ctx) })
	t.Cleanup(func() { cancel(); work.Wait(); _ = table.Close() })
	for ready := false; !ready; {
		<-w.updates.C
		u, ok := w.updates.Take()
		ready = ok && u.Ready
	}
	work.Go(func() {
		for {
			select {
			case <-w.updates.C:
				w.take()
			case <-ctx.Done():
				return
			}
		}
	})
	return w
}

// pids returns the owners in the newest snapshot.
func (w *follower) pids() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.history) == 0 {
		return nil
	}
	return w.history[len(w.history)-1].pids
}

// seen returns all that was published, the kinds of the events, and when the opening was.
func (w *follower) seen() ([]published, []monitor.Kind, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.history), slices.Clone(w.kinds), w.opened
}

// take reads what the Monitor published.
func (w *follower) take() {
	u, ok := w.updates.Take()
	if !ok {
		return
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range u.Events {
		if int(e.Listener.Port) != w.port || e.Kind == monitor.Updated {
			continue
		}
		if w.kinds = append(w.kinds, e.Kind); e.Kind == monitor.Opened {
			w.opened = now
		}
	}
	if w.opened.IsZero() {
		return
	}
	seen := published{at: now}
	for _, l := range u.Snapshot.Listeners {
		if int(l.Port) == w.port {
			for _, o := range l.Owners {
				seen.pids = append(seen.pids, o.PID)
			}
		}
	}
	w.history = append(w.history, seen)
}

// until waits until done returns true.
func (w *follower) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	await.Until(t, what, done, func() any { _, kinds, _ := w.seen(); return fmt.Sprintf("owners %v, events %v", w.pids(), kinds) })
}

// awaitListener waits until something listens on port, and returns when and the inode of
// the socket.
func awaitListener(t *testing.T, port int, folder string) (time.Time, uint64) {
	t.Helper()
	table, err := socket.Open(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for late := time.Now().Add(time.Minute); time.Now().Before(late); time.Sleep(tablePause) {
		sockets, _, err := table.Poll(monitor.PollOptions{Fresh: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sockets {
			if int(s.Port) == port {
				return time.Now(), s.Inode
			}
		}
	}
	output, _ := os.ReadFile(filepath.Join(folder, "output"))
	t.Fatalf("nothing listens on %d:\n%s", port, output)
	return time.Time{}, 0
}

// awaitWorkers waits until the processes below master that have the socket stay the same.
// It returns them, sorted, and when the last of them had it.
func awaitWorkers(t *testing.T, master int, inode uint64) (all []int, complete time.Time) {
	t.Helper()
	for {
		now := holders(master, inode)
		slices.Sort(now)
		if !slices.Equal(now, all) {
			all, complete = now, time.Now()
		}
		if time.Since(complete) > settled {
			return all, complete
		}
		time.Sleep(treePause)
	}
}

// holders returns the processes that have the socket: master first, then those below it.
func holders(master int, inode uint64) (found []int) {
	for _, pid := range tree(master) {
		if holds(pid, fmt.Sprintf("socket:[%d]", inode)) {
			found = append(found, pid)
		}
	}
	return found
}

// tree returns a process and all below it (proc_pid_task_children(5)).
func tree(pid int) []int {
	all := []int{pid}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // nil: it has ended
	for _, file := range files {
		text, _ := os.ReadFile(file) // as above
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, tree(child)...)
			}
		}
	}
	return all
}

func holds(pid int, link string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir) // nil: it has ended
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		return err == nil && target == link
	})
}
