package monitor

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A shell that runs the line runs that program with those arguments, and nothing else.
func TestShellCommandRunsItsProgramOnly(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell")
	}
	for _, name := range []string{"x;touch owned", "$(touch owned)", "`touch owned`", "a b", "it's", "a=b", "~", "*", "x&touch owned&", "x|touch owned", "x>owned", "x#y", `a\b`} {
		folder := t.TempDir()
		program := filepath.Join(folder, name)
		if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" >ran\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		args := []string{name, "", "-H", "A: b", "!!", "{a,b}"}
		for _, first := range []string{program, name} {
			c := exec.Command(sh, "-c", ShellCommand(append([]string{first}, args...)))
			c.Dir, c.Env = folder, []string{"PATH=" + folder + ":" + os.Getenv("PATH")}
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%q: %v: %s", first, err, out)
			}
			ran, err := os.ReadFile(filepath.Join(folder, "ran"))
			if got := strings.Split(strings.TrimSuffix(string(ran), "\n"), "\n"); err != nil || !slices.Equal(got, args) {
				t.Errorf("%q: the program got %q, %v, want %q", first, got, err, args)
			}
			if _, err := os.Stat(filepath.Join(folder, "owned")); err == nil {
				t.Errorf("%q: the shell ran another command", first)
			}
			_ = os.Remove(filepath.Join(folder, "ran"))
		}
	}
}
