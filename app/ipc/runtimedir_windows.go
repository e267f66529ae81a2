package ipc

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// ensurePrivate does nothing: access is restricted by the pipe's access control list.
func ensurePrivate(string) error { return nil }

// pipeBuffer is the size of the pipe's buffer in each direction, in bytes.
// Without a buffer, a write blocks until the other end reads.
const pipeBuffer = 64 << 10

// pipe returns the name of the pipe, derived from the path of the directory. Pipe
// names may contain any character but a backslash.
func (d RuntimeDir) pipe() string {
	return `\\.\pipe\` + strings.ReplaceAll(filepath.Join(d.path, "agent"), `\`, "/")
}

// listen creates a pipe that only this user can open. It fails if the pipe
// exists: the caller holds the lock, so the pipe does not belong to an agent.
func (d RuntimeDir) listen() (net.Listener, error) {
	me, err := currentUser()
	if err != nil {
		return nil, err
	}
	l, err := winio.ListenPipe(d.pipe(), &winio.PipeConfig{
		SecurityDescriptor: fmt.Sprintf("O:%[1]sD:P(A;;GA;;;%[1]s)", me),
		InputBufferSize:    pipeBuffer, OutputBufferSize: pipeBuffer,
	})
	if err != nil {
		return nil, fmt.Errorf("open the agent pipe: %w", err)
	}
	// go-winio reserves the name with a pipe instance that it never serves.
	// Windows lets no client connect to that instance; Wine (8.0) connects the
	// first client to it. This is that first client; on Windows it fails.
	if first, err := os.Open(d.pipe()); err == nil {
		_ = first.Close() // nothing was read
	}
	return l, nil
}

// dial connects to the pipe and checks that this user owns it, because any user
// can create a pipe of that name. go-winio denies the server impersonation.
func (d RuntimeDir) dial() (net.Conn, error) {
	timeout := time.Second
	c, err := winio.DialPipe(d.pipe(), &timeout)
	if err != nil {
		return nil, err
	}
	if err := checkOwner(c); err != nil {
		_ = c.Close() // nothing was sent
		return nil, err
	}
	return c, nil
}

func checkOwner(c net.Conn) error {
	pipe, ok := c.(interface{ Fd() uintptr })
	if !ok {
		return fmt.Errorf("check the owner of the agent pipe: %T has no handle", c)
	}
	security, err := windows.GetSecurityInfo(windows.Handle(pipe.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("check the owner of the agent pipe: %w", err)
	}
	owner, _, err := security.Owner()
	if err != nil {
		return fmt.Errorf("check the owner of the agent pipe: %w", err)
	}
	me, err := currentUser()
	if err != nil {
		return err
	}
	if owner == nil || !owner.Equals(me) {
		return errors.New("the agent pipe belongs to another user")
	}
	return nil
}

// currentUser returns the user this process runs as.
func currentUser() (*windows.SID, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("get the current user: %w", err)
	}
	return u.User.Sid, nil
}
