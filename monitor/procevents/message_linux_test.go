package procevents

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// Datagrams of Linux 6.18 on amd64. A shell with PID 19469 started and exited with 3, and
// one with PID 19471 was killed by SIGSEGV.
const (
	execBytes = `4c000000 0300 0000 01000000 00000000  01000000 01000000 01000000 00000000 2800 0000
		02000000 00000000 a65591d050010000 0d4c0000 0d4c0000 00000000 00000000 00000000 00000000`
	exitBytes = `4c000000 0300 0000 02000000 00000000  01000000 01000000 02000000 00000000 2800 0000
		00000080 00000000 ec9e9cd050010000 0d4c0000 0d4c0000 00030000 11000000 074c0000 074c0000`
	faultBytes = `4c000000 0300 0000 0d000000 00000000  01000000 01000000 0d000000 00000000 2800 0000
		00000080 01000000 e008dbd050010000 0f4c0000 0f4c0000 0b000000 11000000 074c0000 074c0000`
	nameBytes = `4c000000 0300 0000 03000000 00000000  01000000 01000000 03000000 00000000 2800 0000
		00020000 01000000 d36d3dd050010000 074c0000 074c0000 636e70726f6265000000000000000000`
	ackBytes = `4c000000 0300 0000 0e000000 00000000  01000000 01000000 0e000000 01000000 2800 0000
		00000000 01000000 61d3dbd050010000 00000000 00000000 00000000 00000000 00000000 00000000`
)

// captured returns bytes that were captured on a little-endian machine.
func captured(t testing.TB, text string) []byte {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes are those of a little-endian machine")
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		want  message
		ok    bool
	}{
		"program started": {execBytes, message{what: eventExec, pid: 19469, tgid: 19469, at: 1446608197030}, true},
		"status 3":        {exitBytes, message{what: eventExit, pid: 19469, tgid: 19469, waitStatus: 3 << 8, at: 1446608936684}, true},
		"SIGSEGV":         {faultBytes, message{what: eventExit, pid: 19471, tgid: 19471, waitStatus: 11, at: 1446613027040}, true},
		"name set":        {nameBytes, message{what: eventComm, pid: 19463, tgid: 19463, at: 1446602698195}, true},
		"acknowledgement": {ackBytes, message{at: 1446613078881}, false},
	} {
		if got, ok := parse(captured(t, c.bytes)); got != c.want || ok != c.ok {
			t.Errorf("%s: got %+v, %t; want %+v, %t", name, got, ok, c.want, c.ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{execBytes, exitBytes, faultBytes, nameBytes, ackBytes} {
		b := captured(f, text)
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
	want := captured(t, `2c000000 0300 0000 00000000 00000000  01000000 01000000 00000000 00000000 0800 0000  01000000 00000020`)
	if got := request(listen, eventFailedExit); string(got) != string(want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}
