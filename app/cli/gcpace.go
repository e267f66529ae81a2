package cli

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// While traffic is recorded, most of the memory are bodies, which the garbage collector does
// not read. With the default, which lets the memory double, their size would count twice. With
// a fixed small percentage, the collector would run several times a second while little is
// kept, and delay the traffic. So it may always use the same memory, whatever is kept.
const (
	garbage      = 11 << 20 // bytes
	minGCPercent = 20
	maxGCPercent = 200
	gcInterval   = time.Second
)

// paceGC sets the percentage of the garbage collector until done is closed, which may be at
// the end of the program.
func paceGC(done <-chan struct{}) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ticker := time.NewTicker(gcInterval)
	defer ticker.Stop()
	set := 0
	for {
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindUint64 {
			return
		}
		want := trafficGCPercent(sample[0].Value.Uint64())
		if want < set-set/8 || want > set+set/8 { // setting it stops all goroutines for a moment
			set = want
			debug.SetGCPercent(set)
		}
		select {
		case <-done:
			return
		case <-ticker.C:
		}
	}
}

// trafficGCPercent returns the percentage with which there is at most as much garbage as permitted
// beside live bytes.
func trafficGCPercent(live uint64) int {
	return int(min(max(garbage*100/max(live, 1), minGCPercent), maxGCPercent))
}
