package child

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Listening is the report of a child that listens.
type Listening struct {
	Port    int            // the port of the first address
	Address netip.AddrPort // the first address
	Inode   uint64         // of the socket at the first address; 0 on systems other than Linux
	Workers []int          // PIDs of its own children
}

// Server is a child in one of the roles of Servers.
type Server struct {
	Child
	Listening
}

// Servers are roles of children that listen. Each reports a Listening and exits at the
// end of its input:
//
//	listen    listens on its addresses
//	stubborn  like listen, and ignores SIGTERM
//	drain     like listen; on SIGTERM it closes the port and keeps running
//	family    like listen, and starts "sleep 60", its only worker
//
// The addresses are the arguments that ListenOn accepts, and those of At; 127.0.0.1:0 if
// there are none.
var Servers = map[string]func(){
	"listen":   Reporting(Listen),
	"stubborn": Reporting(playStubborn),
	"drain":    Reporting(playDrain),
	"family":   Reporting(playFamily),
}

// Roles returns Servers and more roles.
func Roles(more map[string]func()) map[string]func() {
	all := map[string]func(){}
	for _, roles := range []map[string]func(){Servers, more} {
		for role, play := range roles {
			all[role] = play
		}
	}
	return all
}

// Serve starts the test program in a role that reports a Listening, after the changes to
// its command, until its End is called or the test ends.
func Serve(t *testing.T, role string, change ...func(*exec.Cmd)) Server {
	t.Helper()
	s, err := TryServe(t, role, change...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TryServe is Serve for a child that the system may not allow.
func TryServe(t *testing.T, role string, change ...func(*exec.Cmd)) (s Server, err error) {
	t.Helper()
	s.Child, err = TryBegin(t, role, &s.Listening, change...)
	return s, err
}

// ServeVictim is Serve for a child that the test may stop in any way.
func ServeVictim(t *testing.T, role string, change ...func(*exec.Cmd)) (s Server) {
	t.Helper()
	c := Command(role)
	for _, f := range change {
		f(c)
	}
	s.Child = StartVictim(t, c)
	if err := s.ReadReport(&s.Listening); err != nil {
		t.Fatal(err)
	}
	return s
}

// With adds arguments to the command of a child.
func With(args ...string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Args = append(c.Args, args...) }
}

// Holding gives a child open files, from descriptor 3.
func Holding(files ...*os.File) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.ExtraFiles = append(c.ExtraFiles, files...) }
}

// Running makes a child run the program at path.
func Running(path string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Path = path }
}

// addressesVariable is the environment variable of At.
const addressesVariable = "PORTHOLE_TEST_ADDRESSES"

// At passes addresses, separated by spaces, in the environment. Its command line does
// not contain them.
func At(addresses string) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Env = append(c.Env, addressesVariable+"="+addresses) }
}

// kept protects files from the garbage collector, which would close them.
var kept []any

// Listen plays the role listen and returns its report.
func Listen() Listening {
	return Describe(listenAll()[0])
}

// Describe returns the report of a child that listens on ln.
func Describe(ln net.Listener) Listening {
	address := ln.Addr().(*net.TCPAddr).AddrPort()
	return Listening{Port: int(address.Port()), Address: netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), Inode: Inode(ln)}
}

// listenAll listens on the addresses of this child. Port 0 becomes the port of the first
// one.
func listenAll() (open []net.Listener) {
	var addresses []string
	for _, argument := range os.Args[1:] {
		_, address, ok := strings.Cut(argument, "/")
		if !ok {
			address = argument
		}
		if _, err := netip.ParseAddrPort(address); err == nil {
			addresses = append(addresses, argument)
		}
	}
	addresses = append(addresses, strings.Fields(os.Getenv(addressesVariable))...)
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1:0"}
	}
	for _, address := range addresses {
		if host, ok := strings.CutSuffix(address, ":0"); ok && len(open) > 0 {
			address = host + ":" + strconv.Itoa(Port(open[0]))
		}
		ln, err := ListenOn(address)
		if err != nil {
			Fail(err)
		}
		open = append(open, ln)
	}
	kept = append(kept, open)
	return open
}

// ListenOn listens on an address with SO_REUSEPORT, where the system has it. [::] means
// both address families, "tcp6/[::]" only IPv6.
func ListenOn(address string) (net.Listener, error) {
	network, at, ok := strings.Cut(address, "/")
	switch {
	case ok:
	case strings.HasPrefix(address, "["):
		network, at = "tcp", address
	default:
		network, at = "tcp4", address // with tcp, Go would listen on [::] for 0.0.0.0
	}
	reuse := net.ListenConfig{Control: reusePort}
	return reuse.Listen(context.Background(), network, at)
}

// Port returns the port of ln.
func Port(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

func playStubborn() Listening {
	signal.Ignore(syscall.SIGTERM)
	return Listen()
}

func playDrain() Listening {
	open := listenAll()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		for _, ln := range open {
			_ = ln.Close()
		}
	}()
	return Describe(open[0])
}

func playFamily() Listening {
	r := Listen()
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		Fail(err)
	}
	r.Workers = []int{c.Process.Pid}
	return r
}

// Copy copies the test program to a file with that name in a temporary folder, and
// returns its path.
func Copy(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	CopyTo(t, path)
	return path
}

// CopyTo copies the test program to path.
func CopyTo(t *testing.T, path string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
}
