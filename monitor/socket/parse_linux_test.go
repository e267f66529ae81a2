package socket

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/monitor"
)

// captured is the kernel's complete answer (Linux 6.18, amd64) to request number 7, in
// a network namespace with only the five listeners of TestParseDump.
//
//go:embed testdata/listen.dump
var captured []byte

// The same for UDP sockets, plus a sixth that is connected; UDP has one answer per
// address family.
var (
	//go:embed testdata/udp4.dump
	capturedUDP4 []byte
	//go:embed testdata/udp6.dump
	capturedUDP6 []byte
)

// requestSeq is the sequence number of the captured requests.
const requestSeq = 7

func needLittleEndian(t testing.TB) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the captured bytes are little-endian, and netlink uses the machine's byte order")
	}
}

// formatSocket formats s without the values that differ between machines.
func formatSocket(s monitor.Socket) string {
	return fmt.Sprintf("%s [%s]:%d uid %d inode %t id %t v6only %t",
		s.Protocol, s.Address, s.Port, s.UID, s.Inode != 0, s.ID != 0, s.V6Only)
}

func TestParseDump(t *testing.T) {
	needLittleEndian(t)
	got, end, err := parseDump(nil, captured, requestSeq, monitor.TCP)
	if err != nil || !end {
		t.Fatalf("parseDump: end %t, %v; want the end of the dump", end, err)
	}
	var rows []string
	for _, s := range got {
		rows = append(rows, formatSocket(s))
	}
	slices.Sort(rows)
	want := []string{
		"tcp [0.0.0.0]:8080 uid 0 inode true id true v6only false",
		"tcp [127.0.0.1]:62893 uid 0 inode true id true v6only false",
		"tcp [::1]:62893 uid 0 inode true id true v6only true",
		"tcp [::]:3000 uid 0 inode true id true v6only false",
		"tcp [::]:8080 uid 0 inode true id true v6only true",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(rows, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestParseDumpOfUDP(t *testing.T) {
	needLittleEndian(t)
	for _, test := range []struct {
		answer []byte
		want   []string
	}{
		{capturedUDP4, []string{
			"udp [0.0.0.0]:5353 uid 0 inode true id true v6only false",
			"udp [127.0.0.1]:62893 uid 0 inode true id true v6only false",
		}},
		{capturedUDP6, []string{
			"udp [::1]:62893 uid 0 inode true id true v6only true",
			"udp [::]:3000 uid 0 inode true id true v6only false",
			"udp [::]:5353 uid 0 inode true id true v6only true",
		}},
	} {
		got, end, err := parseDump(nil, test.answer, requestSeq, monitor.UDP)
		var rows []string
		for _, s := range got {
			rows = append(rows, formatSocket(s))
		}
		slices.Sort(rows)
		if err != nil || !end || !slices.Equal(rows, test.want) {
			t.Errorf("end %t, %v\n got %s\nwant %s", end, err, strings.Join(rows, "\n     "), strings.Join(test.want, "\n     "))
		}
		if got, _, _ := parseDump(nil, test.answer, requestSeq, monitor.TCP); len(got) != 0 {
			t.Errorf("parsed as TCP: got %+v, want nothing", got)
		}
	}
}

// message prepends a netlink header to body.
func message(kind, flags uint16, seq uint32, body ...byte) []byte {
	b := make([]byte, headerSize, headerSize+len(body))
	binary.NativeEndian.PutUint32(b, uint32(headerSize+len(body)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], flags)
	binary.NativeEndian.PutUint32(b[8:], seq)
	return append(b, body...)
}

func errno(e unix.Errno) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(-int32(e)))
}

// listening returns the inet_diag_msg of a listening IPv4 socket on port 80.
func listening(change func([]byte)) []byte {
	b := make([]byte, messageSize)
	b[0], b[1] = unix.AF_INET, 10
	binary.BigEndian.PutUint16(b[4:], 80)
	if change != nil {
		change(b)
	}
	return b
}

func TestParseDumpOfOtherMessages(t *testing.T) {
	done := message(unix.NLMSG_DONE, 0, requestSeq, 0, 0, 0, 0)
	row := message(tcpdiagGetSock, 0, requestSeq, listening(nil)...)
	for _, test := range []struct {
		name string
		in   []byte
		rows int
		end  bool
		err  error
	}{
		{"nothing", nil, 0, false, nil},
		{"the end", done, 0, true, nil},
		{"a socket", row, 1, false, nil},
		{"sockets and the end", slices.Concat(row, row, done), 2, true, nil},
		{"data after the end is ignored", slices.Concat(done, row), 0, true, nil},
		{"an answer to an older request", slices.Concat(message(tcpdiagGetSock, 0, 6, listening(nil)...), message(unix.NLMSG_DONE, 0, 6), row), 1, false, nil},
		{"an error in an older answer", slices.Concat(message(unix.NLMSG_ERROR, 0, 6, errno(unix.EPERM)...), row), 1, false, nil},
		{"refused", message(unix.NLMSG_ERROR, 0, requestSeq, errno(unix.EPERM)...), 0, true, unix.EPERM},
		{"refused without a reason", message(unix.NLMSG_ERROR, 0, requestSeq), 0, true, unix.EBADMSG},
		{"interrupted at the end", slices.Concat(row, message(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, requestSeq, 0, 0, 0, 0)), 1, true, errInterrupted},
		{"interrupted before", message(tcpdiagGetSock, unix.NLM_F_DUMP_INTR, requestSeq, listening(nil)...), 1, false, errInterrupted},
		{"an established socket", message(tcpdiagGetSock, 0, requestSeq, listening(func(b []byte) { b[1] = 1 })...), 0, false, nil},
		{"an unknown family", message(tcpdiagGetSock, 0, requestSeq, listening(func(b []byte) { b[0] = unix.AF_UNIX })...), 0, false, nil},
		{"port 0", message(tcpdiagGetSock, 0, requestSeq, listening(func(b []byte) { b[4], b[5] = 0, 0 })...), 0, false, nil},
		{"a truncated socket", message(tcpdiagGetSock, 0, requestSeq, listening(nil)[:messageSize-1]...), 0, false, nil},
		{"an attribute that is longer than the rest", message(tcpdiagGetSock, 0, requestSeq, append(listening(nil), 200, 0, attrSkV6Only, 0)...), 1, false, nil},
		{"an attribute of no length", message(tcpdiagGetSock, 0, requestSeq, append(listening(nil), 0, 0, 0, 0)...), 1, false, nil},
		{"half a header", row[:headerSize/2], 0, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, end, err := parseDump(nil, test.in, requestSeq, monitor.TCP)
			if len(rows) != test.rows || end != test.end || !errors.Is(err, test.err) {
				t.Errorf("parseDump: got %d sockets, end %t, %v; want %d, %t, %v", len(rows), end, err, test.rows, test.end, test.err)
			}
		})
	}
	for name, size := range map[string]uint32{"longer than the datagram": 1000, "shorter than its header": 3, "of no length": 0, "huge": 1<<32 - 1} {
		b := slices.Clone(row)
		binary.NativeEndian.PutUint32(b, size)
		if rows, end, err := parseDump(nil, b, requestSeq, monitor.TCP); len(rows) != 0 || end || err == nil {
			t.Errorf("a message %s: got %d sockets, end %t, %v; want an error", name, len(rows), end, err)
		}
	}
}

// A truncated answer has no end and no invented sockets.
func TestParseDumpTruncated(t *testing.T) {
	needLittleEndian(t)
	whole, _, _ := parseDump(nil, captured, requestSeq, monitor.TCP)
	last := len(captured) - headerSize - 4 // the DONE message
	for n := range last {
		rows, end, _ := parseDump(nil, captured[:n], requestSeq, monitor.TCP)
		if end || len(rows) > len(whole) || !slices.Equal(rows, whole[:len(rows)]) {
			t.Fatalf("first %d bytes: got %d sockets, end %t; want the first sockets, and no end", n, len(rows), end)
		}
	}
}

func FuzzParseDump(f *testing.F) {
	f.Add(captured, uint32(requestSeq), false)
	f.Add(captured[:100], uint32(requestSeq), false)
	f.Add(capturedUDP4, uint32(requestSeq), true)
	f.Add(capturedUDP6, uint32(requestSeq), true)
	f.Add(message(unix.NLMSG_ERROR, 0, requestSeq, errno(unix.ENOENT)...), uint32(requestSeq), true)
	f.Add(message(tcpdiagGetSock, 0, 0, append(listening(nil), 5, 0, attrSkV6Only, 0, 1)...), uint32(0), false)
	f.Fuzz(func(t *testing.T, b []byte, seq uint32, udp bool) {
		protocol := monitor.TCP
		if udp {
			protocol = monitor.UDP
		}
		rows, _, err := parseDump(nil, b, seq, protocol)
		for _, s := range rows {
			if !s.Address.IsValid() || s.Port == 0 || s.Protocol != protocol {
				t.Errorf("%+v has no address or port, or is not %s", s, protocol)
			}
		}
		if err != nil && err.Error() == "" {
			t.Error("the error has no text")
		}
	})
}
