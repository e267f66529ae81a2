package words

import (
	"testing"
	"time"

	"porthole/monitor/history"
	"porthole/ui/uitest"
)

func TestGermanNumbersAndDays(t *testing.T) {
	uitest.InGerman(t)
	now := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	for _, c := range [][2]string{
		{Moment(now, now), "heute 15:53:00"},
		{Moment(time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC), now), "02.03.2026 03:04:05"},
		{Tenure(history.Tenure{From: time.Date(2026, 3, 2, 3, 4, 0, 0, time.UTC)}, now), "seit 02.03.2026 03:04"},
		{Day(time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC), now), "Montag, 2. März"},
		{Day(time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), now), "Mittwoch, 31. Dezember 2025"},
		{ShortDuration(1500 * time.Millisecond), "1,5 s"},
		{ShortDuration(2 * time.Second), "2 s"},
		{Speed(1234), "1,2 kB/s"},
		{Speed(41e3), "41 kB/s"},
		{Duration(25 * time.Hour), "1 Tg."},
		{Number(1234567), "1.234.567"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}
