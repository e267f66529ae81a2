package enrich

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"porthole/monitor"
)

// repositories creates 50 repositories with 4 linked worktrees each, and returns 500
// processes: one in each of two packages of every checkout.
func repositories(b *testing.B) (owners []monitor.Owner) {
	b.Helper()
	top := b.TempDir()
	git := func(folder string, args ...string) {
		c := exec.Command("git", append([]string{"-c", "user.name=ann", "-c", "user.email=ann@example.org"}, args...)...)
		c.Dir, c.Env = folder, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	for i := range 50 {
		shop := filepath.Join(top, fmt.Sprint("shop", i))
		git(top, "init", "-q", "-b", "main", shop)
		git(shop, "commit", "-q", "--allow-empty", "-m", "begin")
		for j := range 4 {
			git(shop, "worktree", "add", "-q", "-b", fmt.Sprint("work", j), fmt.Sprintf("../shop%d-%d", i, j))
		}
		for _, checkout := range []string{"", "-0", "-1", "-2", "-3"} {
			for _, name := range []string{"services/api", "services/web"} {
				folder := filepath.Join(shop+checkout, name)
				if err := os.MkdirAll(folder, 0o700); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name": "`+filepath.Base(name)+`"}`), 0o600); err != nil {
					b.Fatal(err)
				}
				owners = append(owners, monitor.Owner{PID: len(owners) + 1, Folder: folder, UserID: "0"})
			}
		}
	}
	return owners
}

// BenchmarkProjects500 measures how long a new Enricher takes to find the project and the
// branch of 500 processes, and how long the goroutine that asks is busy with that: the
// first is "ms/500", on average and at best, the second "µs/500-asking".
func BenchmarkProjects500(b *testing.B) {
	owners := repositories(b)
	asking, best := time.Duration(0), time.Hour
	for b.Loop() {
		began := time.Now()
		e := New()
		answered := make(chan struct{}, 1)
		stop := e.OnAnswer(func() {
			select {
			case answered <- struct{}{}:
			default:
			}
		})
		for left := -1; left != 0; {
			begun, found := time.Now(), 0
			for _, o := range owners {
				if e.Owner(&o) == monitor.Complete && o.Branch != "" && o.Project != "" && o.Repository != "" {
					found++
				}
			}
			if left < 0 {
				asking += time.Since(begun)
			}
			if left = len(owners) - found; left > 0 {
				<-answered
			}
		}
		stop()
		best = min(best, time.Since(began))
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "ms/500-best")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/500")
	b.ReportMetric(float64(asking.Microseconds())/float64(b.N), "µs/500-asking")
}
