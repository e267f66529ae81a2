package socket

import (
	"fmt"
	"log/slog"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"porthole/monitor"
)

// Open returns the table of listening sockets: from iphlpapi.dll, which needs no
// privileges, or, if that fails, from gopsutil, which uses other functions. The
// caller closes it.
func Open(log *slog.Logger) (Table, error) {
	t := newIphlpapi(callIphlpapi)
	_, _, err := t.Poll(monitor.PollOptions{UDP: true})
	if err == nil {
		return t, nil
	}
	portable := newPortable()
	log.Warn("cannot read the socket tables of iphlpapi; falling back to gopsutil, which is slower",
		"source", portable.Source(), "problem", err)
	return portable, nil
}

var (
	library   = windows.NewLazySystemDLL("iphlpapi.dll")
	functions = map[string]*windows.LazyProc{
		getTCP: library.NewProc(getTCP),
		getUDP: library.NewProc(getUDP),
	}
)

// callIphlpapi calls one of
//
//	DWORD GetExtendedTcpTable(PVOID, PDWORD size, BOOL order, ULONG family, TCP_TABLE_CLASS, ULONG reserved)
//	DWORD GetExtendedUdpTable(PVOID, PDWORD size, BOOL order, ULONG family, UDP_TABLE_CLASS, ULONG reserved)
//
// of iphlpapi.h, which return an error number.
func callIphlpapi(l layout, buffer []byte) (int, error) {
	f := functions[l.function]
	if err := f.Find(); err != nil {
		return 0, err // names the library and the function
	}
	size := uint32(len(buffer))
	status, _, _ := f.Call(uintptr(unsafe.Pointer(unsafe.SliceData(buffer))), uintptr(unsafe.Pointer(&size)), 0, l.family, l.class, 0)
	switch status := syscall.Errno(status); status {
	case 0:
		return int(size), nil
	case windows.ERROR_INSUFFICIENT_BUFFER:
		return int(size), errTooSmall
	default:
		return 0, fmt.Errorf("error %d: %w", uintptr(status), status)
	}
}
