package settings

import (
	"testing"

	"porthole/monitor/traffic"
)

func TestTrafficLimits(t *testing.T) {
	f, _ := newFile(t, "traffic_body: 2\ntraffic_memory: 128\n")
	s, err := f.Load()
	if got, want := s.TrafficLimits(), (traffic.Limits{Body: 2 << 20, Bodies: 128 << 20}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got := traffic.NewStore(Defaults().TrafficLimits()).Limits(); got.Body != traffic.MaxBody || got.Bodies != traffic.MaxBodies {
		t.Errorf("without settings: got %+v", got)
	}
}
