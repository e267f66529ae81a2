package socket

import (
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"porthole/monitor"
)

// wine contains the tables of iphlpapi.dll of Wine 8.0 (Debian 12, amd64), captured in
// a network namespace with only the sockets of TestTablesOfWine. Wine reports no times
// and few PIDs, and sets a scope for ::1; the hand-made tables of TestTablesOfWindows
// contain what Windows reports in addition.
//
//go:embed testdata/windows
var wine embed.FS

func tableOfWine(t testing.TB, name string) []byte {
	b, err := wine.ReadFile("testdata/windows/" + name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var layouts = map[string]layout{"tcp4": tcp4Table, "tcp6": tcp6Table, "udp4": udp4Table, "udp6": udp6Table}

// parseTable parses a whole table.
func parseTable(l layout, b []byte) ([]monitor.Socket, error) {
	rows, err := l.rows(b)
	if err != nil {
		return nil, err
	}
	return l.parse(nil, rows), nil
}

// formatSockets formats sockets with their owner and opening time, sorted.
func formatSockets(sockets []monitor.Socket) []string {
	var rows []string
	for _, s := range sockets {
		rows = append(rows, fmt.Sprintf("%s %v pid %d opened %d", s.Protocol, netip.AddrPortFrom(s.Address, s.Port), s.PID, s.BoundAt))
	}
	slices.Sort(rows)
	return rows
}

func TestTablesOfWine(t *testing.T) {
	for name, want := range map[string][]string{
		"tcp4": {"tcp 0.0.0.0:8080 pid 0 opened 0", "tcp 127.0.0.1:62893 pid 0 opened 0"},
		"tcp6": {"tcp [::1]:62893 pid 0 opened 0", "tcp [::]:3000 pid 0 opened 0", "tcp [::]:8080 pid 0 opened 0"},
		// 47325 is connected to 5353.
		"udp4": {"udp 0.0.0.0:123 pid 0 opened 0", "udp 127.0.0.1:47325 pid 0 opened 0", "udp 127.0.0.1:5353 pid 0 opened 0"},
		"udp6": {"udp [::1]:5353 pid 32 opened 0", "udp [::]:123 pid 32 opened 0"},
	} {
		got, err := parseTable(layouts[name], tableOfWine(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(formatSockets(got), want) {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(formatSockets(got), "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// structs builds C structs as the headers define them: dword and the others append a
// member with its alignment.
type structs []byte

func (b structs) align(n int) structs {
	for len(b)%n != 0 {
		b = append(b, 0xCC) // padding is undefined
	}
	return b
}

func (b structs) dword(n ...uint32) structs {
	for _, n := range n {
		b = binary.LittleEndian.AppendUint32(b.align(4), n)
	}
	return b
}

func (b structs) large(n uint64) structs { return binary.LittleEndian.AppendUint64(b.align(8), n) }
func (b structs) module() structs        { return append(b.align(8), make([]byte, 16*8)...) }
func (b structs) rows() structs          { return b.align(8) }

// port appends a port in network byte order, with garbage in the upper half.
func port(p uint16) uint32 { return uint32(p>>8) | uint32(p&0xff)<<8 | 0xBEEF<<16 }

func v4(a string) uint32 {
	b := netip.MustParseAddr(a).As4()
	return binary.LittleEndian.Uint32(b[:])
}

func (b structs) v6(a string) structs {
	bytes := netip.MustParseAddr(a).As16()
	return append(b, bytes[:]...)
}

func (b structs) tcp4(state uint32, address string, p uint16, pid uint32, created uint64) structs {
	return b.rows().dword(state, v4(address), port(p), v4("0.0.0.0"), 0, pid).large(created).module()
}

func (b structs) tcp6(state uint32, address string, scope uint32, p uint16, pid uint32, created uint64) structs {
	return b.rows().v6(address).dword(scope, port(p)).v6("::").dword(0, 0, state, pid).large(created).module()
}

func (b structs) udp4(address string, p uint16, pid uint32, created uint64) structs {
	return b.rows().dword(v4(address), port(p), pid).large(created).dword(1).module()
}

func (b structs) udp6(address string, scope uint32, p uint16, pid uint32, created uint64) structs {
	return b.rows().v6(address).dword(scope, port(p), pid).large(created).dword(1).module()
}

func count(n uint32) structs { return structs{}.dword(n) }

func TestTablesOfWindows(t *testing.T) {
	const listen, established, time = 2, 5, 134084123456789012
	for _, test := range []struct {
		layout layout
		bytes  structs
		want   []string
	}{
		{tcp4Table, count(4).tcp4(listen, "127.0.0.1", 62893, 4711, time).tcp4(listen, "0.0.0.0", 445, 4, time+1).tcp4(established, "127.0.0.1", 80, 1, time).tcp4(listen, "192.168.0.7", 0, 1, time), []string{
			"tcp 0.0.0.0:445 pid 4 opened 134084123456789013", "tcp 127.0.0.1:62893 pid 4711 opened 134084123456789012"}},
		{tcp6Table, count(3).tcp6(listen, "fe80::1", 12<<24, 139, 4, time).tcp6(listen, "fe80::1", 300, 139, 4, time).tcp6(listen, "::", 12, 65535, 1<<31, time), []string{
			"tcp [::]:65535 pid 2147483648 opened 134084123456789012", "tcp [fe80::1%12]:139 pid 4 opened 134084123456789012", "tcp [fe80::1%300]:139 pid 4 opened 134084123456789012"}},
		{tcp6Table, count(1).tcp6(listen, "::ffff:127.0.0.1", 0, 80, 7, 0), []string{"tcp [::ffff:127.0.0.1]:80 pid 7 opened 0"}},
		{udp4Table, count(2).udp4("10.0.0.1", 53, 1234, time).udp4("0.0.0.0", 5353, 0, 0), []string{
			"udp 0.0.0.0:5353 pid 0 opened 0", "udp 10.0.0.1:53 pid 1234 opened 134084123456789012"}},
		{udp6Table, count(2).udp6("fe80::2", 3<<24, 546, 1234, time).udp6("::1", 1, 1900, 5, time), []string{
			"udp [::1]:1900 pid 5 opened 134084123456789012", "udp [fe80::2%3]:546 pid 1234 opened 134084123456789012"}},
		{tcp4Table, count(0), nil},
	} {
		got, err := parseTable(test.layout, test.bytes)
		if err != nil || !slices.Equal(formatSockets(got), test.want) {
			t.Errorf("%v: %v\n got %s\nwant %s", test.layout, err, strings.Join(formatSockets(got), "\n     "), strings.Join(test.want, "\n     "))
		}
		for n := range test.bytes { // truncated anywhere
			if got, err := parseTable(test.layout, test.bytes[:n]); len(test.want) > 0 && (err == nil || got != nil) {
				t.Fatalf("%v truncated after %d of %d bytes: got %d sockets, want an error", test.layout, n, len(test.bytes), len(got))
			}
		}
	}
}

func TestInvalidTables(t *testing.T) {
	for name, l := range layouts {
		for _, n := range []uint32{2, 1 << 24, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			b := append(count(n).align(8), make([]byte, l.row)...)
			if got, err := parseTable(l, b); err == nil || got != nil {
				t.Errorf("%s that reports %d rows in the size of one: got %v, want an error", name, n, got)
			}
		}
	}
}

// A socket's identity includes the process that opened it, the time, the protocol, the
// address and the scope.
func TestIphlpapiIdentity(t *testing.T) {
	tables := []struct {
		layout layout
		bytes  structs
	}{
		{tcp4Table, count(6).tcp4(2, "127.0.0.1", 80, 7, 100).tcp4(2, "127.0.0.1", 80, 8, 100).tcp4(2, "127.0.0.1", 80, 7, 101).tcp4(2, "127.0.0.2", 80, 7, 100).tcp4(2, "127.0.0.1", 81, 7, 100).tcp4(2, "0.0.0.0", 80, 7, 100)},
		{tcp6Table, count(3).tcp6(2, "::", 0, 80, 7, 100).tcp6(2, "fe80::1", 1, 80, 7, 100).tcp6(2, "fe80::1", 2, 80, 7, 100)},
		{udp4Table, count(1).udp4("127.0.0.1", 80, 7, 100)},
		{udp6Table, count(1).udp6("::", 0, 80, 7, 100)},
	}
	seen := make(map[monitor.SocketID]monitor.Socket)
	total := 0
	for _, table := range tables {
		got, err := parseTable(table.layout, table.bytes)
		again, _ := parseTable(table.layout, slices.Clone(table.bytes))
		if err != nil || !slices.Equal(got, again) {
			t.Fatalf("%v: got %v, then %v, %v; want the same each time", table.layout, got, again, err)
		}
		for _, s := range got {
			total++
			if other, ok := seen[s.ID]; ok {
				t.Errorf("%+v and %+v have the same identity", s, other)
			}
			seen[s.ID] = s
		}
	}
	if total != 11 {
		t.Errorf("got %d sockets, want 11", total)
	}
}

// fakeWindows replaces iphlpapi.dll.
type fakeWindows struct {
	tables     map[layout]structs
	grows      int // number of calls for which the table grows
	requestSeq int
	err        error
	errOf      uintptr // the address family that err applies to; 0 for all
}

func (w *fakeWindows) ask(l layout, buffer []byte) (int, error) {
	w.requestSeq++
	if w.err != nil && (w.errOf == 0 || w.errOf == l.family) {
		return 0, w.err
	}
	table := w.tables[l]
	if len(table) == 0 {
		table = count(0).rows()
	}
	if w.grows > 0 {
		w.grows--
		return len(buffer) + 1, errTooSmall
	}
	if len(table) > len(buffer) {
		return len(table), errTooSmall
	}
	copy(buffer, table)
	return len(table), nil
}

func TestPollIphlpapi(t *testing.T) {
	w := &fakeWindows{tables: map[layout]structs{
		tcp4Table: count(2).tcp4(2, "127.0.0.1", 80, 7, 100).tcp4(2, "0.0.0.0", 80, 7, 100),
		tcp6Table: count(1).tcp6(2, "::1", 0, 80, 7, 100),
		udp4Table: count(2).udp4("0.0.0.0", 5353, 7, 100).udp4("0.0.0.0", 5353, 7, 100), // indistinguishable
		udp6Table: count(1).udp6("::", 0, 5353, 7, 100),
	}}
	table := newIphlpapi(w.ask)
	poll := func(udp bool, want int) []monitor.Socket {
		t.Helper()
		got, _, err := table.Poll(monitor.PollOptions{UDP: udp})
		if err != nil || len(got) != want {
			t.Fatalf("Poll: %v, %v; want %d sockets", got, err, want)
		}
		return slices.Clone(got)
	}
	poll(false, 3)
	first := poll(true, 5)
	w.requestSeq = 0
	if again := poll(true, 5); !slices.Equal(first, again) {
		t.Errorf("second poll: got %v, want %v", again, first)
	}
	if w.requestSeq != 4 {
		t.Errorf("got %d calls, want one per table once the sizes are known", w.requestSeq)
	}
	if _, changed, err := table.Poll(monitor.PollOptions{UDP: true}); changed || err != nil {
		t.Errorf("third poll: changed %t, %v; want no change", changed, err)
	}
	allocations := testing.AllocsPerRun(100, func() { _, _, _ = table.Poll(monitor.PollOptions{UDP: true}) })
	if allocations > 0 {
		t.Errorf("got %v allocations per poll, want 0", allocations)
	}

	w.tables[tcp4Table] = count(1).tcp4(2, "0.0.0.0", 80, 7, 100) // fewer rows than are still in the buffer
	poll(false, 2)
	w.tables[tcp4Table] = nil
	poll(false, 1)
	many := count(1000)
	for i := range 1000 {
		many = many.tcp4(2, "127.0.0.1", uint16(1000+i), 7, 100)
	}
	w.tables[tcp4Table] = many
	poll(false, 1001)

	w.grows = tableTries - 1
	poll(false, 1001)
	w.grows = tableTries
	if got, _, err := table.Poll(monitor.PollOptions{}); !errors.Is(err, errTooSmall) || len(got) != 0 {
		t.Errorf("a table that keeps growing: got %d sockets, %v; want %v", len(got), err, errTooSmall)
	}
	poll(false, 1001)
}

func TestErrorOfIphlpapiIsReported(t *testing.T) {
	denied := errors.New("access is denied")
	w := &fakeWindows{tables: map[layout]structs{tcp4Table: count(1).tcp4(2, "127.0.0.1", 80, 7, 100)}}
	table := newIphlpapi(w.ask)
	if _, _, err := table.Poll(monitor.PollOptions{}); err != nil {
		t.Fatal(err)
	}
	w.err = denied
	got, _, err := table.Poll(monitor.PollOptions{UDP: true})
	if !errors.Is(err, denied) || !strings.Contains(fmt.Sprint(err), "GetExtendedTcpTable for tcp over IPv4") || len(got) != 0 {
		t.Errorf("Poll: %v, %v; want the error and the name of the call", got, err)
	}
	w.errOf = inet6
	if got, _, err := table.Poll(monitor.PollOptions{}); !errors.Is(err, denied) || len(got) != 0 {
		t.Errorf("Poll, if IPv6 is denied: %v, %v; want the error, and no partial table", got, err)
	}
	w.err, w.tables[tcp4Table] = nil, count(1<<20)
	if got, _, err := table.Poll(monitor.PollOptions{}); err == nil || len(got) != 0 {
		t.Errorf("Poll of an invalid table: %v, want an error", got)
	}
}

func BenchmarkParseTables(b *testing.B) {
	table := count(100)
	for i := range 100 {
		table = table.tcp6(2, "::1", 0, uint16(1000+i), 7, 100)
	}
	var sockets []monitor.Socket
	for b.Loop() {
		rows, err := tcp6Table.rows(table)
		if err != nil {
			b.Fatal(err)
		}
		sockets = tcp6Table.parse(sockets[:0], rows)
	}
}

func FuzzParseTables(f *testing.F) {
	names := []string{"tcp4", "tcp6", "udp4", "udp6"}
	for i, name := range names {
		b := tableOfWine(f, name)
		f.Add(byte(i), b)
		f.Add(byte(i), b[:len(b)-1])
		f.Add(byte(i+1), b) // the rows of another table
	}
	f.Add(byte(1), []byte(count(1).tcp6(2, "fe80::1", 12<<24, 139, 4, 1<<63)))
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		l := layouts[names[int(which)%len(names)]]
		got, err := parseTable(l, b)
		if err != nil {
			if got != nil {
				t.Errorf("got %d sockets and the error %v", len(got), err)
			}
			return
		}
		if len(got)*l.row > len(b) {
			t.Errorf("got %d sockets from %d bytes", len(got), len(b))
		}
		for _, s := range got {
			if !s.Address.IsValid() || s.Port == 0 || s.PID < 0 || s.Protocol != l.protocol || s.Address.Is4() != (l.family == inet) {
				t.Errorf("invalid socket %+v of %v", s, l)
			}
		}
	})
}
