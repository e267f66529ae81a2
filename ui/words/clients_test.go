package words

import (
	"testing"
)

func TestSpeed(t *testing.T) {
	for bytes, want := range map[float64]string{-1: "0 B/s", 0: "0 B/s", 999: "999 B/s", 999.6: "1.0 kB/s", 1234: "1.2 kB/s", 9960: "10 kB/s", 41_234: "41 kB/s",
		999_600: "1.0 MB/s", 5.25e6: "5.2 MB/s", 3e9: "3.0 GB/s"} {
		if got := Speed(bytes); got != want {
			t.Errorf("Speed(%v) = %q, want %q", bytes, got, want)
		}
	}
}
