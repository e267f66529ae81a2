package integration

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
)

// outsidePort has the address of a listener outside the namespaces of a test.
const outsidePort = "PORTHOLE_TEST_OUTSIDE"

// outsideOr returns the reason that a test expects: in a container or another PID
// namespace the processes outside cannot be seen.
func outsideOr(reason string) string {
	if owner.InPIDNamespace() {
		return monitor.UnknownOutside
	}
	return reason
}

// A VXLAN device has a UDP socket of the kernel, which no process owns.
func TestKernelSocket(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to read all processes")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8)")
	}
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	if out, err := exec.Command("ip", "link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4789", "local", "127.0.0.1").CombinedOutput(); err != nil {
		t.Skipf("this kernel has no VXLAN: %v\n%s", err, out)
	}
	if out, err := exec.Command("ip", "link", "set", "vx0", "up").CombinedOutput(); err != nil {
		t.Skipf("cannot bring the device up: %v\n%s", err, out)
	}
	rows := onPort(snapshot(t, needMonitor(t, true, 0)), 4789)
	want := outsideOr(monitor.UnknownKernel)
	if len(rows) == 0 || len(rows[0].Owners) != 0 || (rows[0].OwnerUnknown != want && rows[0].OwnerUnknown != monitor.UnknownNoFile) {
		t.Fatalf("got %s, want the port without an owner and the reason %q", format(rows), want)
	}
	t.Log(rows[0].OwnerUnknown)
}

// A listener that is registered with io_uring and has no descriptor any more.
func TestListenerWithoutDescriptor(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to read all processes")
	}
	var parameters [120]byte
	ring, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&parameters[0])), 0)
	if errno != 0 {
		t.Skipf("io_uring is not allowed here: %v", errno)
	}
	defer func() { _ = unix.Close(int(ring)) }()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	fds := []int32{int32(file.Fd())}
	const registerFiles = 2 // IORING_REGISTER_FILES
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, ring, registerFiles, uintptr(unsafe.Pointer(&fds[0])), 1, 0, 0); errno != 0 {
		t.Skipf("cannot register a file: %v", errno)
	}
	port := child.Port(ln)
	_ = file.Close()
	_ = ln.Close()
	rows := onPort(snapshot(t, needMonitor(t, false, 0)), port)
	if want := outsideOr(monitor.UnknownNoFile); len(rows) != 1 || len(rows[0].Owners) != 0 || rows[0].OwnerUnknown != want {
		t.Errorf("got %s, want the port without an owner and the reason %q", format(rows), want)
	}
}

// Porthole in a PID namespace of its own, in the same network: the owner is outside.
func TestOwnerInAnotherPIDNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to create a PID namespace")
	}
	if os.Getenv(outsidePort) == "" {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		t.Setenv(outsidePort, ln.Addr().String())
	}
	if !namespaces.Inside(t, unix.CLONE_NEWPID|unix.CLONE_NEWNS) {
		return
	}
	rows := snapshot(t, needMonitor(t, false, 0)).Listeners
	i := slices.IndexFunc(rows, func(l *monitor.Listener) bool {
		return net.JoinHostPort(l.Addresses[0].String(), strconv.Itoa(int(l.Port))) == os.Getenv(outsidePort)
	})
	if i < 0 || rows[i].OwnerUnknown != monitor.UnknownOutside {
		t.Errorf("got %s, want the port %s with the reason %q", format(rows), os.Getenv(outsidePort), monitor.UnknownOutside)
	}
}
