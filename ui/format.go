package ui

import (
	"fmt"
	"strconv"
	"time"

	"fyne.io/fyne/v2/lang"
)

// Duration puts d into one short word: "2 s", "12 min", "2 h", "3 d". What is
// below a second is "0 s"; nothing is rounded up.
func Duration(d time.Duration) string {
	count := func(n time.Duration) map[string]any { return map[string]any{"N": strconv.Itoa(int(n))} }
	switch d = max(d, 0); {
	case d < time.Minute:
		return lang.L("{{.N}} s", count(d/time.Second))
	case d < time.Hour:
		return lang.L("{{.N}} min", count(d/time.Minute))
	case d < 24*time.Hour:
		return lang.L("{{.N}} h", count(d/time.Hour))
	}
	return lang.L("{{.N}} d", count(d/(24*time.Hour)))
}

// Moment puts t into words as seen at now, in now's location: "today 15:41:07",
// "yesterday 09:12:00", "2026-11-20 18:40:12".
func Moment(t, now time.Time) string {
	t = t.In(now.Location())
	data := map[string]any{"Time": t.Format("15:04:05")}
	switch days := dayNumber(now) - dayNumber(t); days {
	case 0:
		return lang.L("today {{.Time}}", data)
	case 1:
		return lang.L("yesterday {{.Time}}", data)
	}
	return fmt.Sprintf("%s %s", t.Format(time.DateOnly), data["Time"])
}

func dayNumber(t time.Time) int {
	year, month, day := t.Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// shortTime puts a time below a minute into words: "250 ms", "1 s", "1.5 s".
func shortTime(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}
