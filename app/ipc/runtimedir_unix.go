//go:build unix

package ipc

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// ensurePrivate sets the mode of dir to 0700. It returns an error if dir is not a
// directory of this user: in a shared temporary directory, another user could
// have created it or placed a symbolic link there.
func ensurePrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("check the runtime directory: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("can't use %s: it is not a folder that belongs to you", dir)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("make the runtime directory private: %w", err)
		}
	}
	return nil
}

func (d RuntimeDir) socket() string { return filepath.Join(d.path, "agent.sock") }

// listen opens the socket. The caller holds the lock, so an existing socket is
// left over from an agent that crashed.
func (d RuntimeDir) listen() (net.Listener, error) {
	if err := os.Remove(d.socket()); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove a stale agent socket: %w", err)
	}
	// The directory has mode 0700, so nobody else can connect before Chmod.
	l, err := net.Listen("unix", d.socket())
	if err != nil {
		return nil, fmt.Errorf("open the agent socket: %w", err)
	}
	if err := os.Chmod(d.socket(), 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("make the agent socket private: %w", err)
	}
	return l, nil
}

func (d RuntimeDir) dial() (net.Conn, error) { return net.Dial("unix", d.socket()) }
