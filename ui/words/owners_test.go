package words

import (
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/uitest"
)

func TestTenure(t *testing.T) {
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 11, 24, hour, minute, second, 0, time.UTC)
	}
	for _, c := range []struct {
		tenure history.Tenure
		want   string
	}{
		{history.Tenure{From: at(14, 2, 5), To: at(14, 7, 1)}, "today 14:02–14:07"},
		{history.Tenure{From: at(14, 2, 5), To: at(14, 2, 9)}, "today 14:02:05–14:02:09"},
		{history.Tenure{From: at(-10, 2, 0), To: at(9, 7, 0)}, "yesterday 14:02 – today 09:07"},
		{history.Tenure{From: at(-82, 2, 0), To: at(-80, 7, 0)}, "2026-11-20 14:02–16:07"},
		{history.Tenure{From: at(14, 2, 5)}, "since today 14:02"},
		{history.Tenure{From: at(14, 2, 5), AlreadyOpen: true}, "since before today 14:02"},
		{history.Tenure{From: at(14, 2, 5), To: at(14, 7, 1), AlreadyOpen: true}, "until today 14:07"},
		{history.Tenure{From: at(14, 2, 5), To: at(16, 7, 1), Unobserved: true}, "from today 14:02, ended before 16:07 while Porthole was not running"},
		{history.Tenure{From: at(14, 2, 5), To: at(16, 7, 1), Unobserved: true, AlreadyOpen: true}, "ended before today 16:07 while Porthole was not running"},
		{history.Tenure{}, "time unknown"},
	} {
		if got := Tenure(c.tenure, at(17, 0, 0)); got != c.want {
			t.Errorf("Tenure(%+v) = %q, want %q", c.tenure, got, c.want)
		}
	}
}

func TestPastTenures(t *testing.T) {
	opened := uitest.Event(1, 60*time.Minute, monitor.Opened, 5432, "postgres", "")
	ownerChanged := uitest.Event(2, 40*time.Minute, monitor.OwnerChanged, 5432, "python3", "")
	before := opened.Owner
	ownerChanged.Listener, ownerChanged.OpenedAt, ownerChanged.OwnerBefore = opened.Listener, opened.At, &before
	closed := uitest.Event(3, 20*time.Minute, monitor.Closed, 5432, "python3", "")
	closed.Listener, closed.OpenedAt = opened.Listener, opened.At
	now := uitest.Event(4, 10*time.Minute, monitor.Opened, 5432, "node", "")
	again := uitest.Event(5, 5*time.Minute, monitor.Closed, 5432, "ruby", "") // shutdown, then listen: the same socket
	again.Listener, again.OpenedAt = opened.Listener, uitest.Start.Add(-15*time.Minute)
	var got []string
	for _, h := range PastTenures([]history.Event{again, now, closed, ownerChanged, opened}) {
		got = append(got, h.Owner.Name+" "+Tenure(h, uitest.Start))
	}
	if want := []string{"ruby today 15:38–15:48", "python3 today 15:13–15:33", "postgres today 14:53–15:13"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOwnerNameIsClean(t *testing.T) {
	l := uitest.Listening(80, "a\x1b]0;b\nc\u202ed", 10)
	l.Project = "p\u200bq"
	if got := Owner(l); got != "a ]0;b c d · p q" {
		t.Errorf("got %q, want no control or bidi characters", got)
	}
}

func TestUnknownOwnerName(t *testing.T) {
	for want, l := range map[string]*monitor.Listener{
		"probably cupsd":         {User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "cups.service", Inferred: &monitor.Owner{Name: "cupsd"}}},
		"unknown (cups.service)": {User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "cups.service"}},
		"unknown (user root)":    {User: "root", CgroupInfo: monitor.CgroupInfo{Unit: "session-2.scope"}},
		"container 3f2a3f2a3f2a": {User: "root", CgroupInfo: monitor.CgroupInfo{ContainerID: strings.Repeat("3f2a", 16)}},
		"web (container)":        {User: "root", CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{Name: "web"}}},
		"unknown process":        {},
	} {
		if got := Owner(l); got != want {
			t.Errorf("Owner(%+v) = %q, want %q", l, got, want)
		}
	}
}

// A label names the owner in notifications, cards and the tray.
func TestOwnerWithLabel(t *testing.T) {
	l := uitest.Listening(3000, "node", 10)
	l.Project = "shop"
	if got := Owner(l); got != "node · shop" {
		t.Errorf("got %q", got)
	}
	l.Label = "shop front"
	if got := Owner(l); got != "shop front (node)" {
		t.Errorf("with a label: got %q", got)
	}
	unknown := &monitor.Listener{User: "root", Label: "printer"}
	if got := Owner(unknown); got != "printer (unknown (user root))" {
		t.Errorf("of an unknown owner: got %q", got)
	}
}
