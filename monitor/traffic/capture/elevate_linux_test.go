package capture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/internal/traffictest"
	"porthole/monitor/traffic"
)

// fakePkexec puts a script in place of pkexec(1) and returns its folder.
func fakePkexec(t *testing.T, script string) string {
	t.Helper()
	folder := t.TempDir()
	text := "#!/bin/sh\n[ \"$1\" = --disable-internal-agent ] || exit 9\nshift\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(folder, "pkexec"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	return folder
}

// A program that can't be sent a signal, like one that pkexec runs as root, captures and
// ends with the capture.
func TestElevated(t *testing.T) {
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	folder := fakePkexec(t, `setsid "$@" & echo $! >"$0.pid"; wait`)
	command := Elevated()
	if command == nil {
		t.Skip("neither dumpcap nor tcpdump is installed")
	}
	address, port := server(t, "127.0.0.1:0", echo)
	var r traffictest.Records
	_, end := capture(t, Options{Port: port, Program: command}, &r, nil)
	time.Sleep(100 * time.Millisecond) // see TestByteForByte
	exchange(t, address, []byte("hello"))
	if got := r.Ended(t, 1)[0]; string(got.Sent[traffic.ToServer]) != "hello" {
		t.Errorf("got %q", got.Sent)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	pid, err := os.ReadFile(filepath.Join(folder, "pkexec.pid"))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", strings.TrimSpace(string(pid))))
		if errors.Is(err, os.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still runs: %s, %v", command[len(command)-1], stat, err)
		}
	}
}

// Open says why pkexec did not start the program.
func TestElevationIsRefused(t *testing.T) {
	for status, want := range map[int]error{pkexecDismissed: ErrDismissed, pkexecRefused: ErrRefused} {
		fakePkexec(t, fmt.Sprintf("echo no >&2; exit %d", status))
		command := Elevated()
		if command == nil {
			t.Skip("neither dumpcap nor tcpdump is installed")
		}
		if _, err := Open(t.Context(), Options{Port: 3000, Program: command}); !errors.Is(err, want) {
			t.Errorf("exit status %d: got %v, want %v", status, err, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if got := Elevated(); got != nil {
		t.Errorf("without pkexec: got %q, want none", got)
	}
}
