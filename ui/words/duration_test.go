package words

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 1900 * time.Millisecond: "1 s", 59 * time.Second: "59 s", time.Minute: "1 min",
		119 * time.Second: "1 min", time.Hour: "1 h", 25 * time.Hour: "1 d", 72 * time.Hour: "3 d",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 10_050: "10,050", 1_000_000: "1,000,000"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2026, 3, 1, 0, 30, 0, 0, zone)
	for at, want := range map[time.Time]string{
		now.Add(-10 * time.Minute):                     "today 00:20:00",
		now.Add(-40 * time.Minute):                     "yesterday 23:50:00",
		time.Date(2026, 2, 27, 23, 30, 0, 0, time.UTC): "yesterday 00:30:00", // the 28th in this zone
		time.Date(2026, 1, 2, 3, 4, 5, 0, zone):        "2026-01-02 03:04:05",
	} {
		if got := Moment(at, now); got != want {
			t.Errorf("Moment(%v) = %q, want %q", at, got, want)
		}
	}
}
