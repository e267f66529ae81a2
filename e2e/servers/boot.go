//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"porthole/e2e/newroot"
)

// This file boots a Debian in new namespaces. The process that does it is a child of
// the command: PID 1 of a new PID namespace, which mounts everything in a mount
// namespace of its own and then executes systemd. All ends with that process.

// bootTarget starts what every server needs, and no server.
const bootTarget = "porthole-servers.target"

// bootChild is the child. It returns only if it fails, before any init has run.
func bootChild(encoded string) error {
	var c newroot.Config
	if err := json.Unmarshal([]byte(encoded), &c); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	if err := newroot.Enter(c); err != nil {
		return err
	}
	init := "/lib/systemd/systemd"
	environment := []string{"container=porthole", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	return fmt.Errorf("execute %s: %w", init, unix.Exec(init, []string{init, "--unit=" + bootTarget, "--log-level=notice"}, environment))
}

// cgroupRoot returns where the machine mounts the cgroup2 hierarchy.
func cgroupRoot() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", fmt.Errorf("find the cgroup2 hierarchy: %w", err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "cgroup2" {
			return fields[1], nil
		}
	}
	return "", errors.New("find the cgroup2 hierarchy: it is not mounted")
}

// removeCgroup removes a cgroup whose processes have ended, and those below it.
func removeCgroup(path string) {
	var all []string
	filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			all = append(all, p)
		}
		return nil
	})
	for i := len(all) - 1; i >= 0; i-- {
		unix.Rmdir(all[i])
	}
}
