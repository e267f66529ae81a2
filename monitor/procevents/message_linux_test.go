package procevents

import (
	"encoding/hex"
	"testing"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]message{
		"executed": {what: eventExec}, "named": {what: eventComm}, "forked": {what: eventFork},
		"exited 0": {what: eventExit}, "exited 3": {what: eventExit, waitStatus: 3 << 8}, "thread exited 3": {what: eventExit, waitStatus: 3 << 8},
		"killed by SIGSEGV": {what: eventExit, waitStatus: 11},
	} {
		got, ok := parse(recorded(t, name))
		thread := got.pid != got.tgid
		if !ok || got.pid == 0 || got.at == 0 || thread != (name == "thread exited 3") {
			t.Errorf("%s: got %+v, %t; want a process and a time", name, got, ok)
		}
		got.pid, got.tgid, got.at, got.waitStatus = 0, 0, 0, got.waitStatus&^0x80 // whether it dumped core depends on the machine
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for _, name := range []string{"acknowledged", "refused"} {
		if got, ok := parse(recorded(t, name)); ok {
			t.Errorf("%s: got the event %+v, want none", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range recordNames {
		b := recorded(f, name)
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(b[:shortestSize])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := parse(b)
		if ok && (m.pid <= 0 || m.tgid <= 0 || m.what == 0) {
			t.Errorf("parse(%x) = %+v, want no event without a process", b, m)
		}
		if !ok && m.waitStatus != 0 && m.pid > 0 && m.tgid > 0 {
			t.Errorf("parse(%x) refuses the exit %+v", b, m)
		}
	})
}

// The request has the bytes of struct proc_input since Linux 6.6: a message with only the
// operation would get the events of every fork.
func TestRequest(t *testing.T) {
	needLittleEndian(t)
	const want = "2c0000000300000000000000000000000100000001000000000000000000000008000000" + "0100000000000020"
	if got := hex.EncodeToString(request(listen, eventFailedExit)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
