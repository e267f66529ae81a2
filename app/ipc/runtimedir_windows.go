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

func fallbackDir() string {
	local, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(local, "porthole")
}

// ensurePrivate has nothing to check: what guards the link is the pipe's owner.
func ensurePrivate(string) error { return nil }

// pipeBuffer is how many bytes may wait in each direction of the pipe. Without,
// who writes waits for who reads.
const pipeBuffer = 64 << 10

// pipe is the name of the pipe, which is the folder's: in it backslashes are
// not allowed, all else is.
func (p RuntimeDir) pipe() string {
	return `\\.\pipe\` + strings.ReplaceAll(filepath.Join(p.path, "agent"), `\`, "/")
}

// listen opens a pipe that is this user's and that this user alone may open. It
// fails where the pipe is there: the caller holds the lock, so it is nobody's
// who may have it.
func (p RuntimeDir) listen() (net.Listener, error) {
	me, err := currentUser()
	if err != nil {
		return nil, err
	}
	l, err := winio.ListenPipe(p.pipe(), &winio.PipeConfig{
		SecurityDescriptor: fmt.Sprintf("O:%[1]sD:P(A;;GA;;;%[1]s)", me),
		InputBufferSize:    pipeBuffer, OutputBufferSize: pipeBuffer,
	})
	if err != nil {
		return nil, fmt.Errorf("open the link: %w", err)
	}
	// go-winio holds the name by an instance of the pipe that is never served.
	// Windows lets nobody connect to that one, Wine (8.0) the first who comes:
	// under Wine this is them, on Windows it fails.
	if first, err := os.Open(p.pipe()); err == nil {
		_ = first.Close() // nothing was read
	}
	return l, nil
}

// dial connects to the pipe and makes sure that it is this user's: anyone may
// make one of that name. go-winio forbids its other end to act in our name.
func (p RuntimeDir) dial() (net.Conn, error) {
	patience := time.Second
	c, err := winio.DialPipe(p.pipe(), &patience)
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
		return fmt.Errorf("a %T has no owner to check", c)
	}
	security, err := windows.GetSecurityInfo(windows.Handle(pipe.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("check whose the link is: %w", err)
	}
	owner, _, err := security.Owner()
	if err != nil {
		return fmt.Errorf("check whose the link is: %w", err)
	}
	me, err := currentUser()
	if err != nil {
		return err
	}
	if owner == nil || !owner.Equals(me) {
		return errors.New("the link is not this user's")
	}
	return nil
}

// currentUser is who this process runs as.
func currentUser() (*windows.SID, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("find out who runs Porthole: %w", err)
	}
	return u.User.Sid, nil
}
