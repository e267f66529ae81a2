//go:build unix

package ipc

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

func fallbackDir() string {
	return filepath.Join(os.TempDir(), "porthole-"+strconv.Itoa(os.Getuid()))
}

// ensurePrivate checks that dir is a folder of this user that nobody else may enter:
// someone else could have made it in a temp folder, or put a link there.
func ensurePrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the folder of the link: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("%s is not a folder of yours; Porthole does not use it", dir)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("make the folder of the link private: %w", err)
		}
	}
	return nil
}

func (p RuntimeDir) socket() string { return filepath.Join(p.path, "agent.sock") }

// listen opens the socket. The caller holds the lock, so a socket that is
// there is a dead agent's.
func (p RuntimeDir) listen() (net.Listener, error) {
	if err := os.Remove(p.socket()); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove a dead agent's socket: %w", err)
	}
	// The folder is 0700, so nobody can connect before the mode is set.
	l, err := net.Listen("unix", p.socket())
	if err != nil {
		return nil, fmt.Errorf("open the link: %w", err)
	}
	if err := os.Chmod(p.socket(), 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("make the link private: %w", err)
	}
	return l, nil
}

func (p RuntimeDir) dial() (net.Conn, error) { return net.Dial("unix", p.socket()) }
