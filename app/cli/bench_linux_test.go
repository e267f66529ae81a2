package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The machine beside which who is measured: processes, with open files each.
const (
	otherProcesses = 300
	filesOfEach    = 50
)

// BenchmarkWhoBesideLsof runs the program's who and lsof -i on one port by turns,
// whole programs from start to end, and reports the medians of their time and of the
// processors' time that they took. PORTHOLE_BIN is the
// program; without it one is built that has no window, and so loads no libraries.
func BenchmarkWhoBesideLsof(b *testing.B) {
	lsof, err := exec.LookPath("lsof")
	if err != nil {
		b.Skip("lsof is not installed")
	}
	program := os.Getenv("PORTHOLE_BIN")
	if program == "" {
		program = filepath.Join(b.TempDir(), "porthole")
		build := exec.Command("go", "build", "-o", program, "porthole")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	crowd(b)
	_, port := listen(b, "127.0.0.1:0")
	alone := append(os.Environ(), "XDG_RUNTIME_DIR="+b.TempDir(), "XDG_CONFIG_HOME="+b.TempDir(), "XDG_STATE_HOME="+b.TempDir())
	pid := []byte(strconv.Itoa(os.Getpid()))
	run := func(name string, args ...string) (took, used time.Duration) {
		c := exec.Command(name, args...)
		c.Env = alone
		begun := time.Now()
		out, err := c.Output()
		took = time.Since(begun)
		if err != nil || !bytes.Contains(out, pid) {
			b.Fatalf("%s %q: %v, %q; want that it names this process, %s", name, args, err, out, pid)
		}
		return took, c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	var ours, theirs, oursUsed, theirsUsed []time.Duration
	for b.Loop() {
		took, used := run(program, "who", port)
		ours, oursUsed = append(ours, took), append(oursUsed, used)
		took, used = run(lsof, "-i", ":"+port)
		theirs, theirsUsed = append(theirs, took), append(theirsUsed, used)
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2]) / float64(time.Millisecond)
	}
	b.ReportMetric(median(ours), "ms/who")
	b.ReportMetric(median(theirs), "ms/lsof")
	b.ReportMetric(median(ours)/median(theirs), "of-lsof")
	b.ReportMetric(median(oursUsed)/median(theirsUsed), "of-lsof's-cpu")
}

// crowd starts the other processes, which end with the benchmark.
func crowd(b *testing.B) {
	b.Helper()
	files := make([]*os.File, filesOfEach-3)
	for i := range files {
		f, err := os.Open(os.DevNull)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	for range otherProcesses {
		c := exec.Command("sleep", "600") // should the benchmark be killed
		c.ExtraFiles = files
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	}
}
