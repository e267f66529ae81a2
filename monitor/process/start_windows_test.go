package process

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// These tests run on Windows and under Wine (make test-windows).

func TestStartOfWindows(t *testing.T) {
	before := time.Now().Add(-5 * time.Second)
	pid, end := startChild(t, executable(t))
	start, at, err := startOf(pid)
	if err != nil || at.Before(before) || at.After(time.Now().Add(5*time.Second)) {
		t.Fatalf("start of a child = %v, %v; want now", at, err)
	}
	if !IsAlive(pid, start) || IsAlive(pid, start+1) {
		t.Error("IsAlive is not true for the start of the child only")
	}
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	end()
	if _, _, err := startOf(pid); !errors.Is(err, os.ErrProcessDone) { // it can still be opened
		t.Errorf("start of an exited child with an open handle: %v, want %v", err, os.ErrProcessDone)
	}
	_ = windows.CloseHandle(h)
	if _, err := Info(pid); !errors.Is(err, os.ErrProcessDone) || IsAlive(pid, start) {
		t.Errorf("Info of an exited child: %v, want %v", err, os.ErrProcessDone)
	}
	if _, err := Info(1 << 30); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Info of an unused PID: %v, want %v", err, os.ErrProcessDone)
	}
}

func TestFromProcessList(t *testing.T) {
	denied := errors.New("denied")
	pid, _ := startChild(t, executable(t))
	o, err := fromProcessList(pid, denied)
	if err != nil || o.PID != pid || o.Start != 0 || o.ParentPID != os.Getpid() || !strings.EqualFold(o.Name, filepath.Base(executable(t))) {
		t.Errorf("fromProcessList = %+v, %v; want the child, its name and its parent", o, err)
	}
	if o, err := fromProcessList(-1, denied); err != denied {
		t.Errorf("fromProcessList of an unused PID = %+v, %v; want %v", o, err, denied)
	}
}
