package integration

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) {
	child.Main(m, child.Roles(map[string]func(){
		"listen in another root": child.Reporting(playListenInAnotherRoot),
		"execute":                child.Reporting(playExecute),
		"prefork":                child.Reporting(playPrefork),
		"reloader":               playReloader,
		"become nobody":          child.Reporting(playBecomeNobody),
		"observer":               child.Reporting(playObserver),
		"stuck":                  child.Reporting(playStuck),
		"reaper":                 child.Reporting(playReaper),
	}))
}

// playBecomeNobody listens and becomes another user, as servers do that root starts.
func playBecomeNobody() child.Listening {
	r := child.Listen()
	if err := syscall.Setgid(65534); err != nil {
		child.Fail(err)
	}
	if err := syscall.Setuid(65534); err != nil {
		child.Fail(err)
	}
	return r
}

// playPrefork listens and passes the socket to four workers, whose input is descriptor
// 3. With an argument, it waits that long before.
func playPrefork() child.Listening {
	ln, file := child.ListenerFile()
	input := os.NewFile(3, "input of the workers")
	r := child.Listening{Port: child.Port(ln)}
	if len(os.Args) > 1 {
		pause, err := time.ParseDuration(os.Args[1])
		if err != nil {
			child.Fail(err)
		}
		time.Sleep(pause)
	}
	for range 4 {
		r.Workers = append(r.Workers, child.StartWorker(file, input).Process.Pid)
	}
	_ = file.Close()
	return r
}

// playReloader listens and passes the socket to a worker, which it replaces at each line
// of its input, as a development server does when a file is saved. It prints a report
// for each worker.
func playReloader() {
	ln, file := child.ListenerFile()
	input, end, err := os.Pipe()
	if err != nil {
		child.Fail(err)
	}
	defer end.Close()
	for commands := bufio.NewReader(os.Stdin); ; {
		c := child.StartWorker(file, input)
		child.Report(child.Listening{Port: child.Port(ln), Workers: []int{c.Process.Pid}})
		_, err := commands.ReadString('\n')
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
		if err != nil {
			return
		}
	}
}

// observation is the report of an observer about a port and a process.
type observation struct {
	Listeners []*monitor.Listener
	Cgroup    uint64
	Info      monitor.Owner
	Denied    string // why Info is empty
}

// observeAsNobody returns what user nobody sees of a port and a process.
func observeAsNobody(t *testing.T, port, pid int) (seen observation) {
	t.Helper()
	child.Begin(t, "observer", &seen, child.With(strconv.Itoa(port), strconv.Itoa(pid)), child.AsNobody)
	return seen
}

// playObserver reports on the port and the process in its arguments.
func playObserver() observation {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	pid, err := strconv.Atoi(os.Args[2])
	if err != nil {
		child.Fail(err)
	}
	m, end, err := newMonitor(false, time.Hour)
	if err != nil {
		child.Fail(err)
	}
	defer end()
	snapshot, err := m.Scan(context.Background())
	if err != nil {
		child.Fail(err)
	}
	s := observation{Listeners: onPort(snapshot, port)}
	for _, l := range s.Listeners {
		s.Cgroup = l.Sockets[0].Cgroup
	}
	if s.Info, err = process.Info(pid); err != nil {
		s.Denied = err.Error()
	}
	return s
}
