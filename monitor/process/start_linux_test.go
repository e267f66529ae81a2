package process

import (
	"fmt"
	"os"
	"os/exec"
	"porthole/monitor/process/child"
	"strings"
	"testing"

	"porthole/internal/await"
)

func TestParseStart(t *testing.T) {
	const rest = " S 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 62893 0 0"
	for stat, want := range map[string]uint64{
		"7 (node)" + rest:                 62893,
		"7 (two words)" + rest:            62893,
		"7 (a) R 1 2 3 4 5)" + rest:       62893,
		"7 (ends (in) brackets)))" + rest: 62893,
		"7 (line\nend)" + rest + "\n":     62893,
		"7 (main ended)" + strings.NewReplacer("S", "Z", "20 0 1", "20 0 2").Replace(rest): 62893,
		"7 ()" + rest:                      62893,
		"7 (\xff\x00)" + rest:              62893,
		"7 (x)" + strings.Repeat(" 1", 50): 1,
		"7 (x)" + strings.Repeat(" 9", 18) + " 0 18446744073709551615": 1<<64 - 1,
	} {
		if got, err := parseStart([]byte(stat)); err != nil || got != want {
			t.Errorf("parseStart(%q) = %d, %v; want %d", stat, got, err, want)
		}
	}
	for _, stat := range []string{
		"", "7", "7 (node", "7 (node)", "7 (node) S 1 7 7", "7 node" + rest,
		"7 (x)" + strings.Repeat(" 1", 19),
		"7 (zombie)" + strings.Replace(rest, "S", "Z", 1),
		"7 (dead)" + strings.Replace(rest, "S", "X", 1),
		"7 (x)" + strings.Repeat(" 9", 19) + " -1",
		"7 (x)" + strings.Repeat(" 9", 19) + " 18446744073709551616",
		"7 (x)" + strings.Repeat(" 9", 19) + " soon",
	} {
		if got, err := parseStart([]byte(stat)); err == nil {
			t.Errorf("parseStart(%q) = %d, want an error", stat, got)
		}
	}
}

func FuzzParseStart(f *testing.F) {
	f.Add([]byte("7 (node) S 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 62893 0 0"))
	f.Add([]byte("7 (a) b)"))
	f.Fuzz(func(_ *testing.T, stat []byte) { _, _ = parseStart(stat) })
}

// A process can set its name to any 15 bytes.
func TestHostileName(t *testing.T) {
	mine, err := Info(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(child.NameVariable, "a b) R 1\nc (d")
	pid, _ := startChild(t, executable(t))
	o, err := Info(pid)
	if err != nil || o.Start < mine.Start || o.ParentPID != mine.PID || o.Program != executable(t) {
		t.Errorf("Info = %+v, %v; want a start since %d and parent %d", o, err, mine.Start, mine.PID)
	}
	if !strings.HasPrefix(o.Name, "a b) R 1") || !strings.HasSuffix(o.Name, "c (d") {
		t.Errorf("Name = %q, want the name that it set", o.Name)
	}
	if parents := Parents(o); len(parents) == 0 || parents[0].PID != mine.PID {
		t.Errorf("Parents = %+v, want this test first", parents)
	}
}

// A zombie has an entry in /proc, but has exited.
func TestZombie(t *testing.T) {
	c := exec.Command(executable(t))
	child.SetRole(c, "listen") // without input it exits immediately
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Wait() }()
	await.Until(t, "Info of a zombie is an error", func() bool { // its threads exit one after another
		_, err := Info(c.Process.Pid)
		return err != nil
	})
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.Process.Pid)); !strings.Contains(string(stat), ") Z ") {
		t.Errorf("stat = %q, %v; want a zombie, or this test is void", stat, err)
	}
}
