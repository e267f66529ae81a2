//go:build linux

// Package newroot gives a process in new namespaces a root directory of its own, made of
// read-only layers: a Debian that shares nothing with the machine. Only programs of e2e
// import it.
package newroot

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Config describes a root directory. The parent passes it to the process that enters it.
type Config struct {
	Lower   []string // read-only layers, the upper one first
	Dir     string   // an empty folder of this run, on the same file system
	Binds   []Bind
	Devices map[string]uint64 // the result of Devices in the parent
}

// Bind is a folder or file of the machine that is also in the new root.
type Bind struct {
	Source, Target string
	ReadOnly       bool
}

// separate are the folders that the new system must not share with the machine.
var separate = []string{"/", "/tmp", "/run", "/dev", "/dev/shm", "/proc", "/sys", "/var/tmp"}

// Devices returns the device number of the file system of each folder that Enter must not
// share with the machine.
func Devices() (map[string]uint64, error) {
	devices := make(map[string]uint64)
	for _, path := range separate {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return nil, fmt.Errorf("stat %s: %w", path, err)
		}
		devices[path] = st.Dev
	}
	return devices, nil
}

// Enter makes the root directory and enters it. The process must be PID 1 of a new PID
// namespace and have new mount, network, UTS and IPC namespaces; Enter gives it a new cgroup
// namespace, drops capabilities over the machine, and locks the goroutine to its thread. All
// mounts end with the process.
func Enter(c Config) error {
	runtime.LockOSThread() // the namespaces below are those of this thread
	if os.Getpid() != 1 {
		return errors.New("not PID 1 of a new PID namespace")
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("new cgroup namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	root, err := mountRoot(c)
	if err != nil {
		return err
	}
	if err := pivot(root); err != nil {
		return err
	}
	if err := checkSeparate(c.Devices); err != nil {
		return err
	}
	if err := network(); err != nil {
		return err
	}
	for _, capability := range withheld {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", capability, err)
		}
	}
	return nil
}

// withheld are capabilities over the machine's clock, kernel and hardware.
var withheld = []int{unix.CAP_SYS_TIME, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYSLOG, unix.CAP_MKNOD, unix.CAP_WAKE_ALARM, unix.CAP_SYS_BOOT, unix.CAP_MAC_ADMIN, unix.CAP_MAC_OVERRIDE, unix.CAP_BPF, unix.CAP_PERFMON}

// mount is one mount of the new root.
type mount struct {
	source, target, kind string
	flags                uintptr
	data                 string
}

// mountRoot mounts the new root and what belongs into it, and returns its path.
func mountRoot(c Config) (string, error) {
	upper, work, root := filepath.Join(c.Dir, "upper"), filepath.Join(c.Dir, "work"), filepath.Join(c.Dir, "root")
	for _, dir := range []string{upper, work, root} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("make the folders of the overlay: %w", err)
		}
	}
	const quiet = unix.MS_NOSUID | unix.MS_NODEV
	const fixed = quiet | unix.MS_NOEXEC
	mounts := []mount{
		{"overlay", "/", "overlay", 0, "lowerdir=" + strings.Join(c.Lower, ":") + ",upperdir=" + upper + ",workdir=" + work},
		{"proc", "/proc", "proc", fixed, ""},
		{"/proc/sys", "/proc/sys", "", unix.MS_BIND, ""},
		{"", "/proc/sys", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | fixed, ""},
		{"/dev/null", "/proc/sysrq-trigger", "", unix.MS_BIND, ""},
		{"/dev/null", "/proc/kcore", "", unix.MS_BIND, ""},
		{"sysfs", "/sys", "sysfs", fixed | unix.MS_RDONLY, ""},
		{"cgroup2", "/sys/fs/cgroup", "cgroup2", fixed, ""},
		{"tmpfs", "/dev", "tmpfs", unix.MS_NOSUID, "mode=755"},
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"tmpfs", "/dev/shm", "tmpfs", quiet, "mode=1777"},
		{"tmpfs", "/run", "tmpfs", quiet, "mode=755"},
		{"tmpfs", "/tmp", "tmpfs", quiet, "mode=1777"},
		{"tmpfs", "/var/tmp", "tmpfs", quiet, "mode=1777"},
	}
	for _, b := range c.Binds {
		mounts = append(mounts, mount{b.Source, b.Target, "", unix.MS_BIND, ""})
		if b.ReadOnly {
			mounts = append(mounts, mount{"", b.Target, "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""})
		}
	}
	for _, m := range mounts {
		target := filepath.Join(root, m.target)
		if m.source == "/proc/sys" {
			m.source = target // of the new PID namespace
		}
		if err := makeTarget(target, m); err != nil {
			return "", fmt.Errorf("make %s: %w", m.target, err)
		}
		if _, err := os.Stat(target); err != nil {
			continue // a file of /proc that this kernel does not have
		}
		if err := unix.Mount(m.source, target, m.kind, m.flags, m.data); err != nil {
			return "", fmt.Errorf("mount %s: %w", m.target, err)
		}
		if m.target == "/dev" {
			if err := makeDevices(target); err != nil {
				return "", err
			}
		}
	}
	return root, nil
}

// makeTarget creates the file or folder for a mount if it is missing.
func makeTarget(path string, m mount) error {
	if _, err := os.Stat(path); err == nil || strings.HasPrefix(m.target, "/proc/") {
		return nil
	}
	if st, err := os.Stat(m.source); err == nil && m.flags&unix.MS_BIND != 0 && !st.IsDir() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, nil, 0o755)
	}
	return os.MkdirAll(path, 0o755)
}

// makeDevices creates the devices that every program may expect.
func makeDevices(dev string) error {
	for _, d := range []struct {
		name         string
		major, minor uint32
	}{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}, {"net/tun", 10, 200}} {
		path := filepath.Join(dev, d.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make the folder of a device: %w", err)
		}
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("make the device %s: %w", d.name, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return fmt.Errorf("make the device %s writable: %w", d.name, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("link a device: %w", err)
		}
	}
	return nil
}

// pivot makes root the root of the mount namespace, without the machine's.
func pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return fmt.Errorf("enter the new root: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil { // the old root is on top now: pivot_root(2)
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach the machine's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("enter the new root: %w", err)
	}
	return unix.Sethostname([]byte("testhost"))
}

// checkSeparate returns an error unless the root is the overlay and none of the
// folders that an init empties or fills is on the machine's file systems.
func checkSeparate(machine map[string]uint64) error {
	var root unix.Statfs_t
	if err := unix.Statfs("/", &root); err != nil || root.Type != unix.OVERLAYFS_SUPER_MAGIC {
		return fmt.Errorf("the root is no overlay (type %x, %w)", root.Type, err)
	}
	if len(machine) != len(separate) {
		return errors.New("the machine's devices are missing")
	}
	here, err := Devices()
	if err != nil {
		return err
	}
	for path, device := range here {
		for other, of := range machine {
			if device == of && path != "/sys" { // sysfs is one file system for each network namespace
				return fmt.Errorf("%s is on the file system of the machine's %s", path, other)
			}
		}
	}
	entries, err := os.ReadDir("/tmp")
	if err != nil || len(entries) > 0 {
		return fmt.Errorf("/tmp has %d entries, want an empty one (%w)", len(entries), err)
	}
	return nil
}

// network brings up lo and eth0, which leads nowhere.
func network() error {
	for _, line := range []string{
		"link set lo up",
		"link add eth0 type veth peer name eth0peer",
		"link set eth0peer up",
		"link set eth0 up",
		"addr add 10.77.0.2/24 dev eth0",
		"addr add fd00:77::2/64 dev eth0 nodad",
	} {
		if out, err := exec.Command("/sbin/ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}
