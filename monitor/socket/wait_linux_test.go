package socket

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// openWithEvents opens a table with close events.
func openWithEvents(t *testing.T) *diagTable {
	t.Helper()
	d, err := openDiagTable()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if d.events < 0 {
		t.Skip("this kernel denies the events of destroyed sockets")
	}
	return d
}

// cookieOf returns the identity of a listener.
func cookieOf(t *testing.T, d *diagTable, l net.Listener) monitor.SocketID {
	t.Helper()
	for _, s := range poll(t, d, false) {
		if int(s.Port) == l.Addr().(*net.TCPAddr).Port {
			return s.ID
		}
	}
	t.Fatalf("%v is not in the table", l.Addr())
	return 0
}

// waitFor waits for the event that id was closed; others may be closed meanwhile.
func waitFor(d *diagTable, id monitor.SocketID) bool {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		if closed, _ := d.Wait(time.Second, nil); slices.Contains(closed, id) {
			return true
		}
	}
	return false
}

func TestCloseIsReportedImmediately(t *testing.T) {
	d := openWithEvents(t)
	reported := func(address string) bool {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		id := cookieOf(t, d, l)
		go func() { _ = l.Close() }()
		begin := time.Now()
		defer func() { t.Logf("%s: %v", address, time.Since(begin)) }()
		return waitFor(d, id)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		// In a storm of events of other programs the kernel may drop some.
		any := false
		for range 3 {
			any = any || reported(address)
		}
		if !any {
			t.Errorf("%s: none of three closes was reported", address)
		}
	}
}

func TestConnectionsCauseNoEvents(t *testing.T) {
	d := openWithEvents(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	id := cookieOf(t, d, l)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	var closed []monitor.SocketID
	for range 100 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
		closed, _ = d.Wait(10*time.Millisecond, closed)
	}
	if slices.Contains(closed, id) {
		t.Error("an open listener was reported as closed")
	}
	if len(closed) >= 100 {
		t.Errorf("got %d events for 100 connections, want them to be filtered", len(closed))
	}
}

func TestStormOfEventsIsThrottled(t *testing.T) {
	d := openWithEvents(t)
	const storm = 5000
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range storm { // bound and closed: these events look like those of a listener
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return
			}
			_ = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
			_ = unix.Close(fd)
		}
	}()
	begin, wakeups := time.Now(), 0
	for over := false; !over; {
		if _, hint := d.Wait(time.Second, nil); hint&monitor.TableChanged != 0 {
			wakeups++
		}
		select {
		case <-ended:
			over = true
		default:
		}
	}
	took := time.Since(begin)
	t.Logf("%d events in %v: %d wake-ups", storm, took, wakeups)
	if most := (int(took/throttleWindow) + 2) * maxWakeups; wakeups == 0 || wakeups > most || wakeups > storm/4 {
		t.Errorf("got %d wake-ups in %v, want some, and at most %d", wakeups, took, most)
	}
}

func TestWake(t *testing.T) {
	d, err := openDiagTable()
	if err != nil {
		t.Fatal(err)
	}
	var waking sync.WaitGroup
	waking.Go(func() {
		for range 20 { // a single one could coincide with a hint, since other programs close listeners too
			d.Wake()
			time.Sleep(20 * time.Millisecond)
		}
	})
	defer waking.Wait()
	begin := time.Now()
	for woken := false; !woken && time.Since(begin) < 10*time.Second; {
		_, hint := d.Wait(10*time.Second, nil)
		woken = hint == 0
	}
	if took := time.Since(begin); took > 8*time.Second {
		t.Errorf("Wait returned after %v", took)
	}
	if err := d.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	d.Wake()
}

func TestExitOfWatchedProcessIsReported(t *testing.T) {
	d, err := openDiagTable()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if fd, err := unix.PidfdOpen(os.Getpid(), 0); err != nil {
		t.Skipf("this kernel does not support pidfds: %v", err)
	} else if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	other, one := exec.Command("sleep", "60"), exec.Command("sleep", "60")
	for _, c := range []*exec.Cmd{other, one} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	}
	hinted := func(d *diagTable, within time.Duration) bool {
		for end := time.Now().Add(within); time.Now().Before(end); {
			if _, hint := d.Wait(10*time.Millisecond, nil); hint&monitor.OwnerExited != 0 {
				return true
			}
		}
		return false
	}
	const none = 1 << 30 // not a PID
	d.WatchExits([]int{one.Process.Pid, other.Process.Pid, none})
	d.WatchExits([]int{one.Process.Pid, none})
	_ = other.Process.Kill()
	_ = other.Wait() // it was killed
	if hinted(d, 50*time.Millisecond) {
		t.Error("got a hint about a process that is no longer watched")
	}
	_ = one.Process.Kill()
	if !hinted(d, 10*time.Second) {
		t.Error("got no hint about the exit of a process")
	}
	d.WatchExits([]int{one.Process.Pid}) // a zombie: its PID is still in use
	if hinted(d, 50*time.Millisecond) {
		t.Error("got two hints about one exit")
	}
}

func FuzzParseEvents(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, headerSize+messageSize))
	f.Fuzz(func(t *testing.T, b []byte) { parseEvents(nil, b) })
}
