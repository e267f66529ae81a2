package settings

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Hours is a part of each day, in local time. Its end may be on the next day. The
// zero value is empty.
type Hours struct {
	From, To int // minutes since midnight
}

var errHours = errors.New("quiet_hours must be two times of day, such as 22:00-07:00")

// ParseHours parses "22:00-07:00". An empty text is the empty Hours.
func ParseHours(text string) (h Hours, err error) {
	if text == "" {
		return h, nil
	}
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return h, errHours
	}
	for _, end := range []struct {
		text string
		to   *int
	}{{from, &h.From}, {to, &h.To}} {
		t, err := time.Parse("15:04", strings.TrimSpace(end.text))
		if err != nil {
			return Hours{}, errHours
		}
		*end.to = t.Hour()*60 + t.Minute()
	}
	if h.From == h.To {
		return Hours{}, errHours
	}
	return h, nil
}

// String formats h as ParseHours accepts it.
func (h Hours) String() string {
	if h == (Hours{}) {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
}

// Contains reports whether t, in its own location, is in h.
func (h Hours) Contains(t time.Time) bool {
	now := t.Hour()*60 + t.Minute()
	if h.From <= h.To {
		return h.From <= now && now < h.To
	}
	return now >= h.From || now < h.To
}
