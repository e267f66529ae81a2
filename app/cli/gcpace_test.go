package cli

import "testing"

func TestGCPercent(t *testing.T) {
	for live, want := range map[uint64]int{0: maxGCPercent, 1 << 20: maxGCPercent, 11 << 20: 100, 22 << 20: 50, 1 << 30: minGCPercent} {
		if got := trafficGCPercent(live); got != want {
			t.Errorf("trafficGCPercent(%d MB) = %d, want %d", live>>20, got, want)
		}
	}
}
