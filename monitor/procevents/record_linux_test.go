package procevents

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor/process/child"
)

// The datagrams that tests use are recorded from a kernel, with
//
//	go test ./monitor/procevents -run '^TestRecorded$' -record
//
// as root or, since Linux 6.6, any user, outside of containers.
var record = flag.Bool("record", false, "record the datagrams of this kernel in "+recordFile)

const recordFile = "testdata/datagrams.txt"

// recordNames are the recorded datagrams.
var recordNames = []string{"acknowledged", "refused", "forked", "executed", "named", "exited 0", "exited 3", "killed by SIGSEGV", "thread exited 3"}

// recorded returns a recorded datagram, whose numbers are those of a little-endian machine.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	needLittleEndian(t)
	b, err := os.ReadFile(recordFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if at, text, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && at == name {
			datagram, err := hex.DecodeString(text)
			if err != nil {
				t.Fatalf("%s: %s: %v", recordFile, name, err)
			}
			return datagram
		}
	}
	t.Fatalf("%s has no %q", recordFile, name)
	return nil
}

func needLittleEndian(t testing.TB) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes are those of a little-endian machine")
	}
}

// The recorded datagrams have the form of those that this kernel sends.
func TestRecorded(t *testing.T) {
	s := Open()
	defer s.Close()
	if s.State() != Available {
		t.Skipf("no process events: %s (%s)", s.State(), s.Reason())
	}
	got := recordAll(t)
	if *record {
		writeRecord(t, got)
	}
	for _, name := range recordNames {
		want := recorded(t, name)
		if len(got[name]) != len(want) {
			t.Errorf("%s: this kernel sends %d bytes, recorded were %d", name, len(got[name]), len(want))
			continue
		}
		now, _ := parse(got[name])
		then, _ := parse(want)
		if now.what != then.what || now.waitStatus&0x7f != then.waitStatus&0x7f || now.waitStatus>>8 != then.waitStatus>>8 {
			t.Errorf("%s: this kernel sends %+v, recorded was %+v", name, now, then)
		}
	}
}

func writeRecord(t *testing.T, datagrams map[string][]byte) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Datagrams of the process events connector of Linux %s on %s, recorded with\n", release, runtime.GOARCH)
	fmt.Fprintf(&b, "# go test ./monitor/procevents -run '^TestRecorded$' -record\n")
	for _, name := range recordNames {
		fmt.Fprintf(&b, "%s: %x\n", name, datagrams[name])
	}
	if err := os.WriteFile(recordFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// recordAll returns a datagram of this kernel for each of recordNames.
func recordAll(t *testing.T) map[string][]byte {
	t.Helper()
	s, err := subscribe()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	got := map[string][]byte{}
	// A request with only an operation, without a choice of events.
	if err := s.request(99, 0); err != nil { // no such operation
		t.Fatal(err)
	}
	got["refused"] = next(t, s, func(m message, b []byte) bool { return m.what == 0 && acknowledgement(b) != 0 })
	whole := request(listen, 0)[:requestSize-4]
	binary.NativeEndian.PutUint32(whole, uint32(len(whole)))
	binary.NativeEndian.PutUint16(whole[netlinkSize+16:], 4)
	if _, err := unix.Write(s.fd, whole); err != nil {
		t.Fatal(err)
	}
	got["acknowledged"] = next(t, s, func(m message, b []byte) bool { return m.what == 0 && acknowledgement(b) == 0 })

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := renameThread(); err != nil {
		t.Fatal(err)
	}
	self := os.Getpid()
	got["named"] = next(t, s, func(m message, _ []byte) bool { return m.what == eventComm && m.tgid == self })
	for name, script := range map[string]string{"exited 0": "exit 0", "exited 3": "exit 3", "killed by SIGSEGV": "kill -SEGV $$"} {
		c := exec.Command("sh", "-c", script)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		pid := c.Process.Pid
		if name == "exited 0" {
			got["forked"] = next(t, s, func(m message, b []byte) bool { return m.what == eventFork && forked(b) == pid })
			got["executed"] = next(t, s, func(m message, _ []byte) bool { return m.what == eventExec && m.tgid == pid })
		}
		got[name] = next(t, s, func(m message, _ []byte) bool { return m.what == eventExit && m.pid == pid && m.tgid == pid })
		_ = c.Wait() // it fails, as it should
	}
	threads := child.StartVictim(t, child.Command("threads"))
	threads.Line(t) // it has started its threads
	_ = threads.In.Close()
	got["thread exited 3"] = next(t, s, func(m message, _ []byte) bool {
		return m.what == eventExit && m.tgid == threads.PID && m.pid != m.tgid
	})
	return got
}

// eventFork is PROC_EVENT_FORK.
const eventFork = 0x00000001

// forked returns the process that a datagram about a fork is about: fork.child_tgid.
func forked(b []byte) int { return int(binary.NativeEndian.Uint32(b[pidOffset+12:])) }

// acknowledgement returns the error in an acknowledgement: ack.err.
func acknowledgement(b []byte) uint32 { return binary.NativeEndian.Uint32(b[pidOffset:]) }

// next returns the next datagram that matches.
func next(t *testing.T, s *subscription, matches func(message, []byte) bool) []byte {
	t.Helper()
	b := make([]byte, 256)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		n, err := unix.Read(s.fd, b)
		if err != nil || n < shortestSize+4 {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, 100)
			continue
		}
		m, _ := parse(b[:n])
		if matches(m, b[:n]) {
			return bytes.Clone(b[:n])
		}
	}
	t.Fatal("the kernel did not send the datagram within a minute")
	return nil
}
