//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"porthole/e2e/newroot"
)

// bootTimeout is how long a system may take to start, and any command in it.
const bootTimeout = 5 * time.Minute

// system is a running Debian.
type system struct {
	process *exec.Cmd
	cgroup  string
	ended   chan struct{}
}

// boot starts a Debian in new namespaces and waits until it runs. The caller must
// stop it.
func boot(ctx context.Context, name, records string, c newroot.Config) (*system, error) {
	base, err := cgroupRoot()
	if err != nil {
		return nil, err
	}
	if c.Devices, err = newroot.Devices(); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	s := &system{cgroup: filepath.Join(base, fmt.Sprintf("porthole-servers-%d-%s", os.Getpid(), name)), ended: make(chan struct{})}
	if err := os.Mkdir(s.cgroup, 0o755); err != nil {
		return nil, fmt.Errorf("make a cgroup: %w", err)
	}
	cgroup, err := os.Open(s.cgroup)
	if err != nil {
		return nil, fmt.Errorf("open the cgroup: %w", err)
	}
	defer cgroup.Close()
	log, err := os.Create(filepath.Join(records, "boot.log"))
	if err != nil {
		return nil, fmt.Errorf("make the log of the boot: %w", err)
	}
	defer log.Close()
	s.process = exec.Command("/proc/self/exe", "boot", string(encoded))
	s.process.Stdout, s.process.Stderr = log, log
	s.process.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		UseCgroupFD: true, CgroupFD: int(cgroup.Fd()),
		Pdeathsig: syscall.SIGKILL, Setsid: true,
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig belongs to the thread that starts the child
		err := s.process.Start()
		started <- err
		if err == nil {
			s.process.Wait()
		}
		close(s.ended)
	}()
	if err := <-started; err != nil {
		removeCgroup(s.cgroup)
		return nil, fmt.Errorf("start a system: %w", err)
	}
	if err := s.booted(ctx); err != nil {
		text, _ := os.ReadFile(log.Name())
		s.stop()
		return nil, fmt.Errorf("boot: %w: %s", err, bytes.TrimSpace(text))
	}
	return s, nil
}

// booted waits until systemd has started bootTarget.
func (s *system) booted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	for {
		out, err := s.enter(ctx, "systemctl", "is-active", bootTarget).CombinedOutput()
		if strings.TrimSpace(string(out)) == "active" {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it ended: %v", s.process.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("%w (%v: %s)", ctx.Err(), err, bytes.TrimSpace(out))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stop ends every process of the system, whose mounts end with them.
func (s *system) stop() {
	s.process.Process.Kill()
	<-s.ended
	removeCgroup(s.cgroup)
}

// enter returns a command in all namespaces of the system.
func (s *system) enter(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"--target", strconv.Itoa(s.process.Process.Pid), "--all", "--root", "--wd", "/usr/bin/env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, args...)
	return exec.CommandContext(ctx, "nsenter", args...)
}

// run runs a script of bash as root in the system, and returns its output.
func (s *system) run(ctx context.Context, script string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	c := s.enter(ctx, "/bin/bash", "-c", script)
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%.60q: %w: %s", script, err, bytes.TrimSpace(out))
	}
	return string(out), nil
}
