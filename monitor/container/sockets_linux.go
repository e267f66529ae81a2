package container

import (
	"os"
	"path/filepath"
	"syscall"
)

// engineSockets returns the paths where Docker and Podman listen, as root and as
// the user.
func engineSockets() []string {
	sockets := []string{"/var/run/docker.sock", "/run/podman/podman.sock"}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		sockets = append(sockets, dir+"/docker.sock", dir+"/podman/podman.sock")
	}
	return sockets
}

// trusted reports whether path is a socket that belongs to root or to this user.
// Other users' sockets are not connected to.
func trusted(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid())
}
