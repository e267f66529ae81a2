//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"porthole/e2e/newroot"
)

// This file starts a desktop in new namespaces: this program is PID 1 there and starts itself
// again as an ordinary user. All ends with PID 1.

// Roles of this program, its first argument.
const (
	bootRole = "boot"
	tryRole  = "try"
)

// The user of the desktops.
const (
	userID     = 1000
	home       = "/home/dev"
	runtimeDir = "/run/user/1000"
	installed  = "/usr/local/bin/desktops" // this program
	records    = "/records"                // the folder of the machine that gets results, pictures and logs
)

// tryTimeout limits a desktop with all checks.
const tryTimeout = 30 * time.Minute

// assignment is what the parent passes to PID 1 as JSON.
type assignment struct {
	Root    newroot.Config
	Desktop string
	Checks  string // a regular expression
}

// recordsOf is the folder of the records of a desktop.
func recordsOf(dir, name string) string { return filepath.Join(dir, "pictures", name) }

// start tries a desktop and returns the result, which is also in its records.
func start(ctx context.Context, dir string, d environment, only string) (result, error) {
	failed := startBounded(ctx, dir, d, only)
	res, err := readResult(filepath.Join(recordsOf(dir, d.name), resultFile), d)
	if err != nil || failed == nil {
		return res, err
	}
	if res.Error == "" { // it was reported from inside
		res.Error = failed.Error()
	}
	return res, res.write(recordsOf(dir, d.name))
}

func startBounded(ctx context.Context, dir string, d environment, only string) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	running, kept := filepath.Join(dir, "running", d.name), recordsOf(dir, d.name)
	for _, path := range []string{running, kept} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove the earlier run: %w", err)
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("make the folder of the run: %w", err)
		}
	}
	defer os.RemoveAll(running)
	if err := os.Chown(kept, userID, userID); err != nil {
		return fmt.Errorf("give the records to the user: %w", err)
	}
	devices, err := newroot.Devices()
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(assignment{newroot.Config{
		Lower:   []string{filepath.Join(dir, "porthole"), filepath.Join(dir, "layers", d.layer), filepath.Join(dir, "base")},
		Dir:     running,
		Binds:   []newroot.Bind{{Source: kept, Target: records}, {Source: filepath.Join(dir, "desktops"), Target: installed, ReadOnly: true}},
		Devices: devices,
	}, d.name, only})
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return runBoot(ctx, filepath.Join(kept, "checks.log"), string(encoded))
}

// runBoot runs PID 1 of new namespaces until it exits or ctx ends.
func runBoot(ctx context.Context, logFile, encoded string) error {
	log, err := os.Create(logFile)
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	defer log.Close()
	runtime.LockOSThread() // Pdeathsig belongs to the thread that starts the child
	defer runtime.UnlockOSThread()
	c := exec.CommandContext(ctx, "/proc/self/exe", bootRole, encoded)
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL, Setsid: true,
	}
	err = c.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("the checks did not end: %w", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("the desktop: %w (see %s)", err, filepath.Base(logFile))
	}
	return nil
}

// boot is PID 1. It enters the new root and starts the checks as an ordinary user.
func boot(encoded string) error {
	var a assignment
	if err := json.Unmarshal([]byte(encoded), &a); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	if err := newroot.Enter(a.Root); err != nil {
		return err
	}
	for path, mode := range map[string]os.FileMode{"/tmp/.X11-unix": 0o1777, "/tmp/.ICE-unix": 0o1777, runtimeDir: 0o700, "/run/dbus": 0o755} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("make the folders of the session: %w", err)
		}
		sticky := mode & 0o1000 / 0o1000 * os.FileMode(os.ModeSticky)
		if err := errors.Join(os.Chmod(path, mode&0o777|sticky), os.Chown(path, userID, userID)); err != nil {
			return fmt.Errorf("make the folders of the session: %w", err)
		}
	}
	c, err := os.StartProcess(installed, []string{"desktops", tryRole, a.Desktop, a.Checks}, &os.ProcAttr{
		Dir:   home,
		Env:   []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/games", "HOME=" + home, "USER=dev", "LOGNAME=dev", "LANG=C.UTF-8", "SHELL=/bin/bash"},
		Files: []*os.File{nil, os.Stdout, os.Stderr},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: userID, Gid: userID}},
	})
	if err != nil {
		return fmt.Errorf("start the checks: %w", err)
	}
	return reap(c.Pid)
}

// reap collects orphans, as an init does, until the process pid ends.
func reap(pid int) error {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return fmt.Errorf("wait for the checks: %w", err)
		case ended == pid && status.ExitStatus() != 0:
			return fmt.Errorf("the checks ended with status %d, signal %d", status.ExitStatus(), status.Signal())
		case ended == pid:
			return nil
		}
	}
}
