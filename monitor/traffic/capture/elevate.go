package capture

import (
	"cmp"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// This file lets an administrator allow one capture: pkexec asks for the password and
// runs dumpcap or tcpdump as root. Porthole reads their output and stays what it is.

// Errors of Open with an elevated program.
var (
	ErrDismissed = errors.New("the administrator's password was not entered")
	ErrRefused   = errors.New("this user may not become administrator, or no program asks for the password in this session")
)

// systemFolders are where a program that runs as root may be: only root writes there.
var systemFolders = []string{"/usr/bin", "/usr/sbin", "/bin", "/sbin"}

// Elevated returns the command for Options.Program that captures after an administrator's
// password was entered; nil if pkexec, or both dumpcap and tcpdump, are not installed.
func Elevated() []string {
	pkexec, err := exec.LookPath("pkexec")
	if err != nil {
		return nil
	}
	for _, name := range []string{"dumpcap", "tcpdump"} {
		for _, folder := range systemFolders {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				// Without an agent of the desktop pkexec would ask on the terminal.
				return []string{pkexec, "--disable-internal-agent", path}
			}
		}
	}
	return nil
}

// elevatedStartTime is how long an elevated program may take until it captures: someone
// types a password.
const elevatedStartTime = 5 * time.Minute

// Exit statuses of pkexec(1).
const (
	pkexecDismissed = 126
	pkexecRefused   = 127
)

// elevationError returns why pkexec did not start the program, or nil.
func elevationError(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil
	}
	switch exit.ExitCode() {
	case pkexecDismissed:
		return ErrDismissed
	case pkexecRefused:
		return ErrRefused
	}
	return nil
}

// farewellPort is the port of datagrams that make an elevated program end: this process
// may not send it a signal, but the program ends when it writes a packet to the closed
// pipe. No server gets them.
const farewellPort = 65129

// farewellFilter selects these datagrams.
var farewellFilter = " or (udp and dst host 127.0.0.1 and dst port " + strconv.Itoa(farewellPort) + ")"

// farewellTime is how long the program is awaited.
const farewellTime = 3 * time.Second

// sayFarewell sends a datagram.
func sayFarewell() error {
	c, err := net.Dial("udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(farewellPort)))
	if err != nil {
		return err
	}
	_, err = c.Write([]byte{0})
	return cmp.Or(err, c.Close())
}

// finish makes an elevated program end, and reports whether it did.
func (p *program) finish() bool {
	for range 3 {
		_ = sayFarewell() // it ends with the next packet of the port otherwise
		select {
		case <-p.ended:
			return true
		case <-time.After(farewellTime / 3):
		}
	}
	return false
}
