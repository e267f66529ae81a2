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

	"porthole/internal/testhome"
)

// The number of other processes while "who" is measured, and the number of open
// files of each.
const (
	otherProcesses = 300
	filesOfEach    = 50
)

// BenchmarkWhoAndLsof runs "porthole who" and "lsof -i" for one port in turn, as
// whole programs, and reports the medians of their elapsed and CPU times.
// PORTHOLE_BIN is the program; without it, the benchmark builds one without the
// window, which loads no libraries.
func BenchmarkWhoAndLsof(b *testing.B) {
	lsof, err := exec.LookPath("lsof")
	if err != nil {
		b.Skip("needs lsof")
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
	startOtherProcesses(b)
	_, port := listen(b, "127.0.0.1:0")
	testhome.New(b)
	pid := []byte(strconv.Itoa(os.Getpid()))
	run := func(name string, args ...string) (elapsed, cpu time.Duration) {
		c := exec.Command(name, args...)
		start := time.Now()
		out, err := c.Output()
		elapsed = time.Since(start)
		if err != nil || !bytes.Contains(out, pid) {
			b.Fatalf("%s %q: got %v, %q, want the PID of this process, %s", name, args, err, out, pid)
		}
		return elapsed, c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	var ours, theirs, oursCPU, theirsCPU []time.Duration
	for b.Loop() {
		elapsed, cpu := run(program, "who", port)
		ours, oursCPU = append(ours, elapsed), append(oursCPU, cpu)
		elapsed, cpu = run(lsof, "-i", ":"+port)
		theirs, theirsCPU = append(theirs, elapsed), append(theirsCPU, cpu)
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2]) / float64(time.Millisecond)
	}
	b.ReportMetric(median(ours), "ms/who")
	b.ReportMetric(median(theirs), "ms/lsof")
	b.ReportMetric(median(ours)/median(theirs), "of-lsof")
	b.ReportMetric(median(oursCPU)/median(theirsCPU), "of-lsof's-cpu")
}

// startOtherProcesses starts idle processes, which the end of the benchmark kills.
func startOtherProcesses(b *testing.B) {
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
		c := exec.Command("sleep", "600") // a limit in case the benchmark is killed
		c.ExtraFiles = files
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	}
}
