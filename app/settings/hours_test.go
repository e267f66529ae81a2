package settings

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	at := func(text string) time.Time {
		clock, err := time.Parse("15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return clock
	}
	for text, c := range map[string]struct{ in, out []string }{
		"22:00-07:00": {[]string{"22:00", "23:59", "00:00", "06:59"}, []string{"07:00", "12:00", "21:59"}},
		"12:30-13:00": {[]string{"12:30", "12:59"}, []string{"12:29", "13:00", "00:00"}},
		"00:00-06:00": {[]string{"00:00", "05:59"}, []string{"06:00", "23:59"}},
		"":            {nil, []string{"00:00", "12:00"}},
	} {
		h, err := ParseHours(text)
		if err != nil || h.String() != text {
			t.Errorf("ParseHours(%q) = %v, error %v", text, h, err)
		}
		for _, clock := range c.in {
			if !h.Contains(at(clock)) {
				t.Errorf("%s does not contain %s", text, clock)
			}
		}
		for _, clock := range c.out {
			if h.Contains(at(clock)) {
				t.Errorf("%s contains %s", text, clock)
			}
		}
	}
	for _, text := range []string{"22-7", "22:00", "22:00-22:00", "25:00-07:00", "night", "22:00-07:00-08:00"} {
		if h, err := ParseHours(text); err == nil {
			t.Errorf("ParseHours(%q) = %v, want an error", text, h)
		}
	}
}

func TestReactionsOfAWatch(t *testing.T) {
	f, path := newFile(t, "watches:\n  - ports: 80\n    urgency: critical\n    sound: bell\n    run: [/bin/echo, \"a b\", \"\"]\n    post: https://example.org/hook\nquiet_hours: 22:00-07:00\nnew_exposed: true\n")
	s, err := f.Load()
	if err != nil || len(s.Watches) != 1 || len(s.Warnings) > 0 || s.QuietHours.String() != "22:00-07:00" || !s.NewExposed {
		t.Fatalf("got %+v, error %v", s, err)
	}
	if r := s.Watches[0]; r.Urgency != "critical" || r.Sound != "bell" || len(r.Run) != 3 || r.Run[1] != "a b" || r.Post != "https://example.org/hook" {
		t.Errorf("got %+v", r)
	}
	_ = path
}
