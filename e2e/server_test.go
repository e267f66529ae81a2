package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"porthole/monitor/process/child"
)

// serverRole is the role in which the test program is a server (see package child).
const serverRole = "server"

// listenVariable is the environment variable with the addresses on which a server
// listens, separated by commas.
const listenVariable = "PORTHOLE_E2E_LISTEN"

// inherited stands for the address of a server that gets its socket as descriptor 3.
const inherited = "inherited"

// staysVariable is an environment variable of a server that runs on after its input has
// ended. The test kills it.
const staysVariable = "PORTHOLE_E2E_STAYS"

// noAddress stands for the addresses of a server that does not listen yet.
const noAddress = "none"

// testProgram is the path of this test program.
var testProgram, _ = filepath.Abs(os.Args[0])

// serve listens until its standard input ends, so that it cannot outlive the test. It
// executes the commands that it reads there, and answers each with "listening" and a
// PID:
//
//	listen ADDRESSES  close all sockets and listen there instead
//	ignore            ignore SIGTERM
//	child             start a child, whose PID is the answer
//	pass PROGRAM      pass the first socket to that program, which runs serve, and exit
func serve() {
	var open []net.Listener
	addresses := os.Getenv(listenVariable)
	if addresses == inherited {
		l, err := net.FileListener(os.NewFile(3, "inherited"))
		exitOn(err)
		open = append(open, l)
	} else if addresses != noAddress {
		open = listenOn(addresses)
	}
	fmt.Println("listening", os.Getpid())
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		command, argument, _ := strings.Cut(commands.Text(), " ")
		switch command {
		case "listen":
			for _, l := range open {
				_ = l.Close()
			}
			open = listenOn(argument)
			fmt.Println("listening", os.Getpid())
		case "ignore":
			signal.Ignore(syscall.SIGTERM)
			fmt.Println("listening", os.Getpid())
		case "child":
			sleeper := exec.Command("sleep", "60")
			exitOn(sleeper.Start()) // returns when the child runs its own program
			go func() { _ = sleeper.Wait() }()
			fmt.Println("listening", sleeper.Process.Pid)
		case "pass":
			f, err := open[0].(*net.TCPListener).File()
			exitOn(err)
			heir := exec.Command(argument)
			heir.Args = []string{filepath.Base(argument), "--serve"}
			heir.Env = append(os.Environ(), listenVariable+"="+inherited)
			heir.Stdin, heir.Stdout, heir.Stderr = os.Stdin, os.Stdout, os.Stderr
			heir.ExtraFiles = []*os.File{f}
			exitOn(heir.Start())
			os.Exit(0)
		}
	}
	if os.Getenv(staysVariable) != "" {
		select {}
	}
}

func listenOn(addresses string) (open []net.Listener) {
	for address := range strings.SplitSeq(addresses, ",") {
		l, err := net.Listen("tcp", address)
		exitOn(err)
		open = append(open, l)
	}
	return open
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// server is a process that runs serve.
type server struct {
	child.Child
	cmd *exec.Cmd
}

// serverName is the process name of a server that listen starts.
func serverName() string { return filepath.Base(os.Args[0]) }

// listen starts a server on addresses ("127.0.0.1:62893") and returns when it
// listens. It works in no project.
func (d *desk) listen(addresses string) *server {
	d.t.Helper()
	return d.serve(testProgram, "/", addresses)
}

// project creates a project folder with that name and starts a server there, whose
// process name is program.
func (d *desk) project(name, program, addresses string) *server {
	d.t.Helper()
	return d.projectIn(d.t.TempDir(), name, program, addresses)
}

func (d *desk) projectIn(dir, name, program, addresses string) *server {
	d.t.Helper()
	dir = filepath.Join(dir, name)
	manifest := []byte(fmt.Sprintf("{\"name\": %q}\n", name))
	path := filepath.Join(dir, program)
	d.do("create a project", errors.Join(os.Mkdir(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o644), link(path)))
	return d.serve(path, dir, addresses)
}

// program returns the path of a program with that name, which is this test program.
func (d *desk) program(name string) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), name)
	d.do("create a program", link(path))
	return path
}

// link makes this test program available under another path.
func link(path string) error {
	if os.Link(testProgram, path) == nil {
		return nil
	}
	b, err := os.ReadFile(testProgram) // path is on another file system
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o755)
}

// serve starts the program at path, which is this test program, as a server in dir.
func (d *desk) serve(path, dir, addresses string) *server {
	d.t.Helper()
	cmd := exec.Command(path)
	cmd.Args = []string{filepath.Base(path), "--serve"} // the command line that Porthole shows
	child.SetRole(cmd, serverRole)
	cmd.Env = append(cmd.Env, listenVariable+"="+addresses)
	cmd.Stderr = os.Stderr
	cmd.Dir = dir
	process, err := child.Launch(cmd)
	if err != nil {
		d.t.Fatal(err)
	}
	s := &server{process, cmd}
	d.t.Cleanup(s.close)
	s.waitListening(d)
	return s
}

// waitListening waits for a server's answer and returns the PID in it.
func (s *server) waitListening(d *desk) (pid int) {
	d.t.Helper()
	line, err := s.Out.ReadString('\n')
	if n, _ := fmt.Sscanf(line, "listening %d", &pid); n != 1 {
		d.t.Fatalf("a server printed %q, %v; want \"listening\" and a PID", line, err)
	}
	return pid
}

// command lets the server execute a command (see serve) and returns the PID that it
// answers.
func (s *server) command(d *desk, command string) (pid int) {
	d.t.Helper()
	_, err := io.WriteString(s.In, command+"\n")
	d.do("send a server the command "+command, err)
	return s.waitListening(d)
}

// close ends the server. Further calls do nothing.
func (s *server) close() {
	_ = s.In.Close()
	_ = s.cmd.Wait() // fails on a second call
}

func (s *server) pid() int { return s.PID }
