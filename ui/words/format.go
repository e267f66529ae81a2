// Package words formats values for people, in the user's language: durations, sizes,
// dates, addresses, owners and warnings. Several pages share it. It uses no widgets.
package words

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/history"
)

// Duration formats d with one unit: "2 s", "12 min", "2 h", "3 d". It rounds down;
// less than a second is "0 s".
func Duration(d time.Duration) string {
	step := DurationStep(d)
	count := map[string]any{"N": strconv.Itoa(int(max(d, 0) / step))}
	switch step {
	case time.Second:
		return lang.L("{{.N}} s", count)
	case time.Minute:
		return lang.L("{{.N}} min", count)
	case time.Hour:
		return lang.L("{{.N}} h", count)
	}
	return lang.L("{{.N}} d", count)
}

// DurationStep returns how long Duration's text for d stays the same while d grows: the
// unit that it is rounded down to.
func DurationStep(d time.Duration) time.Duration {
	switch {
	case d < time.Minute:
		return time.Second
	case d < time.Hour:
		return time.Minute
	case d < 24*time.Hour:
		return time.Hour
	}
	return 24 * time.Hour
}

// Moment formats t relative to now, in now's location: "today 15:41:07", "yesterday
// 09:12:00", "2026-11-20 18:40:12".
func Moment(t, now time.Time) string {
	return MomentAs(t, now, time.TimeOnly)
}

// MomentAs is Moment with the time of day in layout (see time.Layout).
func MomentAs(t, now time.Time, layout string) string {
	t = t.In(now.Location())
	data := map[string]any{"Time": t.Format(layout)}
	switch days := DayNumber(now) - DayNumber(t); days {
	case 0:
		return lang.L("today {{.Time}}", data)
	case 1:
		return lang.L("yesterday {{.Time}}", data)
	}
	return dateText(t) + " " + t.Format(layout)
}

// dateText formats the date of t in numbers, in the order of the language.
func dateText(t time.Time) string {
	return lang.L("{{.Year}}-{{.Month}}-{{.Day}}", map[string]any{"Year": t.Format("2006"), "Month": t.Format("01"), "Day": t.Format("02")})
}

// Decimal formats v with the language's decimal separator and the given number of
// digits after it; -1 for as many as needed.
func Decimal(v float64, digits int) string {
	whole, decimals, found := strings.Cut(strconv.FormatFloat(v, 'f', digits, 64), ".")
	if !found {
		return whole
	}
	return lang.L("{{.Whole}}.{{.Decimals}}", map[string]any{"Whole": whole, "Decimals": decimals})
}

// Number formats n with the language's thousands separator.
func Number(n int) string {
	digits := strconv.Itoa(n)
	if len(digits) < 4 || n < 0 {
		return digits
	}
	head, tail := digits[:len(digits)-3], digits[len(digits)-3:]
	h, _ := strconv.Atoi(head) // formatted by us, cannot fail
	return lang.L("{{.Thousands}},{{.Rest}}", map[string]any{"Thousands": Number(h), "Rest": tail})
}

// DayNumber returns a number that grows by 1 with each calendar day.
func DayNumber(t time.Time) int {
	year, month, day := t.Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// Day formats the date of t relative to now, in now's location: "Today", "Yesterday",
// "Friday 20 November"; with the year if it is not the present one.
func Day(t, now time.Time) string {
	t = t.In(now.Location())
	switch DayNumber(now) - DayNumber(t) {
	case 0:
		return lang.L("Today")
	case 1:
		return lang.L("Yesterday")
	}
	data := map[string]any{"Weekday": weekday(t.Weekday()), "Day": t.Day(), "Month": month(t.Month()), "Year": t.Year()}
	if t.Year() == now.Year() {
		return lang.L("{{.Weekday}} {{.Day}} {{.Month}}", data)
	}
	return lang.L("{{.Weekday}} {{.Day}} {{.Month}} {{.Year}}", data)
}

func weekday(d time.Weekday) string {
	return [...]string{lang.L("Sunday"), lang.L("Monday"), lang.L("Tuesday"), lang.L("Wednesday"), lang.L("Thursday"),
		lang.L("Friday"), lang.L("Saturday")}[d]
}

func month(m time.Month) string {
	return [...]string{lang.L("January"), lang.L("February"), lang.L("March"), lang.L("April"), lang.L("May"), lang.L("June"), lang.L("July"),
		lang.L("August"), lang.L("September"), lang.L("October"), lang.L("November"), lang.L("December")}[m-1]
}

// Tenure formats the interval during which an owner had a port, relative to now,
// including which of its ends are not known exactly: "today 14:02–14:07", "until
// today 14:07", "since yesterday 09:12", "from today 14:02, ended before 16:30 while
// Porthole was not running".
func Tenure(s history.Tenure, now time.Time) string {
	layout := "15:04"
	if s.To.Sub(s.From).Abs() < time.Minute { // both times would look the same without seconds
		layout = "15:04:05"
	}
	at := func(t time.Time) string { return MomentAs(t, now, layout) }
	to := func() string { // without repeating the day
		if DayNumber(s.From.In(now.Location())) == DayNumber(s.To.In(now.Location())) {
			return s.To.In(now.Location()).Format(layout)
		}
		return at(s.To)
	}
	unknown := s.AlreadyOpen || s.From.IsZero()
	switch {
	case s.To.IsZero() && s.From.IsZero():
		return lang.L("time unknown")
	case s.To.IsZero() && unknown:
		return lang.L("since before {{.From}}", map[string]any{"From": at(s.From)})
	case s.To.IsZero():
		return lang.L("since {{.From}}", map[string]any{"From": at(s.From)})
	case s.Unobserved && unknown:
		return lang.L("ended before {{.To}} while Porthole was not running", map[string]any{"To": at(s.To)})
	case s.Unobserved:
		return lang.L("from {{.From}}, ended before {{.To}} while Porthole was not running", map[string]any{"From": at(s.From), "To": to()})
	case unknown:
		return lang.L("until {{.To}}", map[string]any{"To": at(s.To)})
	case DayNumber(s.From.In(now.Location())) == DayNumber(s.To.In(now.Location())):
		return at(s.From) + "–" + to()
	}
	return at(s.From) + " – " + at(s.To)
}

// ShortDuration formats a duration below a minute: "250 ms", "1 s", "1.5 s".
func ShortDuration(d time.Duration) string {
	if d < time.Second {
		return lang.L("{{.N}} ms", map[string]any{"N": strconv.FormatInt(d.Milliseconds(), 10)})
	}
	return lang.L("{{.N}} s", map[string]any{"N": Decimal(d.Seconds(), -1)})
}

// Copied returns the notice that text was copied. It cleans text, which may come from
// another process.
func Copied(text string) string {
	return lang.L("{{.Text}} copied", map[string]any{"Text": monitor.Clean(strings.Join(strings.Fields(text), " "), 100)})
}

// Size formats bytes in powers of 1000: "40 B", "812 kB", "48 MB", "1.2 GB".
func Size(bytes uint64) string {
	switch v := float64(bytes); {
	case v < 999.5:
		return Decimal(v, 0) + " B"
	case v < 999.5e3:
		return Decimal(v/1e3, 0) + " kB"
	case v < 999.5e6:
		return Decimal(v/1e6, 0) + " MB"
	default:
		return Decimal(v/1e9, 1) + " GB"
	}
}

// PlusHidden returns what follows a count from which n hidden ones are left out: " +12 hidden";
// "" for none.
func PlusHidden(n int) string {
	if n == 0 {
		return ""
	}
	return " " + lang.N("+{{.Count}} hidden", n, map[string]any{"Count": Number(n)})
}
