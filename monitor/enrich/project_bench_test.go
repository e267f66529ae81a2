package enrich

import (
	"testing"
	"time"

	"porthole/internal/gitrepo"
	"porthole/monitor"
)

// BenchmarkProjects500 measures how long a new Enricher takes to find the project and the
// branch of 500 processes, and how long the goroutine that asks is busy with that: the
// first is "ms/500", on average and at best, the second "µs/500-asking".
func BenchmarkProjects500(b *testing.B) {
	var owners []monitor.Owner
	for i, folder := range gitrepo.FiveHundred(b, b.TempDir()) {
		owners = append(owners, monitor.Owner{PID: i + 1, Folder: folder, UserID: "0"})
	}
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
