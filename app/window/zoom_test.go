//go:build cgo

package window

import "testing"

func TestBaseScale(t *testing.T) {
	for value, want := range map[string]float64{"": 1, "auto": 1, "1.5": 1.5, "0": 1, "-2": 1, "nonsense": 1} {
		if got := baseScale(value); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}
