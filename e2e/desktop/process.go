//go:build linux

package desktop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long processes may take to end after SIGTERM before they get SIGKILL.
const (
	programGrace = 5 * time.Second
	partGrace    = 2 * time.Second
)

// part is a part of the desktop. Its process leads a process group.
type part struct {
	name string
	log  string // path
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// start starts a part. It inherits ready, if not nil, as descriptor 3.
func (d *Desktop) start(name string, ready *os.File, program string, args ...string) (*part, error) {
	p := &part{name: name, log: filepath.Join(d.dir, "log", name+".log"), cmd: d.Command(program, args...), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if ready != nil {
		p.cmd.ExtraFiles = []*os.File{ready}
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.stopped:
		return nil, fmt.Errorf("start %s: the desktop has stopped", name)
	case slices.ContainsFunc(d.parts, func(p *part) bool { return p.name == name }):
		return nil, fmt.Errorf("start %s: already started", name)
	}
	if err := onLastingThread(p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	d.parts = append(d.parts, p)
	go func() {
		p.cmd.Wait()
		if d.part(name) == p {
			d.log.Printf("%s ended unexpectedly: %v", name, p.cmd.ProcessState)
		}
		close(p.done)
	}()
	return p, nil
}

// part returns the part with that name, or nil.
func (d *Desktop) part(name string) *part {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.IndexFunc(d.parts, func(p *part) bool { return p.name == name }); i >= 0 {
		return d.parts[i]
	}
	return nil
}

// stop ends the part with that name and returns when its process group is gone.
func (d *Desktop) stop(name string) {
	p := d.part(name)
	if p == nil {
		return
	}
	d.mu.Lock()
	d.parts = slices.DeleteFunc(d.parts, func(q *part) bool { return q == p })
	conn, x := d.conn, d.x
	d.mu.Unlock()
	switch {
	case name == partBus && conn != nil:
		conn.Close()
	case name == partX && x != nil:
		x.close()
	}
	d.end(partGrace, func(q process) bool { return q.group == p.cmd.Process.Pid })
	<-p.done
}

// state returns the part's exit status. It may be called once done is closed.
func (p *part) state() string { return p.cmd.ProcessState.String() }

// logEnd returns the last lines of the part's log, to append to an error.
func (p *part) logEnd() string {
	text, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if lines[0] == "" {
		return ""
	}
	return "; its log ends: " + strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// onLastingThread calls f on a thread that exists as long as this program.
// Pdeathsig fires when the thread that started a process ends, and Go ends a
// thread when the goroutine that is locked to it returns.
func onLastingThread(f func() error) error {
	result := make(chan error, 1)
	lastingThread() <- func() { result <- f() }
	return <-result
}

var lastingThread = sync.OnceValue(func() chan<- func() {
	calls := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range calls {
			f()
		}
	}()
	return calls
})

// Process is a process on the desktop.
type Process struct {
	PID  int
	Name string
}

// Programs returns the processes on the desktop that are not parts of it,
// sorted by PID: those that tests started, and their descendants.
func (d *Desktop) Programs() []Process {
	var programs []Process
	for _, p := range d.processes() {
		if d.isProgram(p) {
			programs = append(programs, p.Process)
		}
	}
	return programs
}

type process struct {
	Process
	group int
}

// processes returns all processes on the desktop. It finds them by their
// environment, which a daemon keeps when it leaves its process group and parent,
// and which distinguishes them from other processes that reuse a PID.
func (d *Desktop) processes() []process {
	mark := []byte("\x00" + markName + "=" + d.dir + "\x00")
	entries, _ := os.ReadDir("/proc")
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if !bytes.Contains(append([]byte{0}, environ(pid)...), mark) {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		if err != nil || open < 0 || end < open {
			continue
		}
		p := process{Process: Process{PID: pid, Name: string(stat[open+1 : end])}}
		var state, parent string
		if _, err := fmt.Sscan(string(stat[end+1:]), &state, &parent, &p.group); err == nil {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b process) int { return a.PID - b.PID })
	return found
}

// environ returns a process's environment. It is empty for a zombie and for a
// process that we may not read. It also reads as empty during an exec: then the
// process has an executable, and a second read succeeds.
func environ(pid int) []byte {
	for tries := 1; ; tries++ {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || len(b) > 0 || tries == 5 {
			return b
		}
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}

// isProgram reports whether p belongs to no part. Services that the bus starts on
// demand are in the bus's process group.
func (d *Desktop) isProgram(p process) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !slices.ContainsFunc(d.parts, func(q *part) bool { return q.cmd.Process.Pid == p.group })
}

// end sends SIGTERM to the matching processes of the desktop, SIGKILL after grace,
// and returns when they are gone. With a grace of 0 it sends SIGKILL immediately.
func (d *Desktop) end(grace time.Duration, match func(process) bool) {
	matching := func() []process {
		return slices.DeleteFunc(d.processes(), func(p process) bool { return !match(p) })
	}
	signal := func(s syscall.Signal) {
		for _, p := range matching() {
			if err := syscall.Kill(p.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				d.log.Printf("end %s, pid %d: %v", p.Name, p.PID, err)
			}
		}
	}
	gone := func(within time.Duration) bool {
		for until := time.Now().Add(within); len(matching()) > 0; time.Sleep(pollInterval) {
			if time.Now().After(until) {
				return false
			}
		}
		return true
	}
	if grace > 0 {
		signal(syscall.SIGTERM)
	}
	if gone(grace) {
		return
	}
	signal(syscall.SIGKILL)
	gone(partGrace)
}
