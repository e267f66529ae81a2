package process

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"porthole/monitor"
)

// stillActive is the exit code of a running process (STILL_ACTIVE of
// minwinbase.h).
const stillActive = 259

// startOf returns the creation time of pid as a FILETIME, in units of 100 ns, and
// as a time. A process that has exited can be opened as long as another process has
// a handle of it; it counts as exited.
func startOf(pid int) (uint64, time.Time, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) { // there is no such process
		err = os.ErrProcessDone
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var code uint32
	if err := windows.GetExitCodeProcess(h, &code); err == nil && code != stillActive {
		return 0, time.Time{}, fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return 0, time.Time{}, fmt.Errorf("read the times of process %d: %w", pid, err)
	}
	return uint64(created.HighDateTime)<<32 | uint64(created.LowDateTime), time.Unix(0, created.Nanoseconds()).UTC(), nil
}

// fromProcessList returns the name and the parent of a process that may not be
// opened, such as System (4) and other users' services. Every user can read the
// system's list of processes. If the process is not in it, the error is denied.
func fromProcessList(pid int, denied error) (monitor.Owner, error) {
	list, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return monitor.Owner{}, fmt.Errorf("list the processes: %w", err)
	}
	defer func() { _ = windows.CloseHandle(list) }()
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(list, &entry); err == nil; err = windows.Process32Next(list, &entry) {
		if int(entry.ProcessID) == pid {
			return monitor.Owner{PID: pid, Name: windows.UTF16ToString(entry.ExeFile[:]), ParentPID: int(entry.ParentProcessID)}, nil
		}
	}
	return monitor.Owner{}, denied
}
