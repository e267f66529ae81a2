package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checkRaces fails the test for every data race that the program's race detector
// reported, except for the known ones of other modules. The program has a race
// detector if it was built with -race.
func (d *desk) checkRaces() {
	reports, _ := filepath.Glob(filepath.Join(d.raceDir, "race.*")) // the pattern is valid
	for _, path := range reports {
		b, err := os.ReadFile(path)
		if err != nil {
			d.t.Errorf("read the race detector's report: %v", err)
		}
		for _, report := range unknownRaces(string(b)) {
			d.t.Errorf("data race:%s", report)
		}
	}
}

// unknownRaces returns the reports of data races in a race detector's log that are
// not known.
func unknownRaces(log string) (unknown []string) {
	reports := strings.Split(log, "WARNING: DATA RACE")
	for _, report := range reports[1:] {
		if !knownRace(report) {
			unknown = append(unknown, report)
		}
	}
	return unknown
}

// systrayRaces are the functions of fyne.io/systray that have data races:
//   - refresh counts the versions of the menu with another lock than GetLayout.
//   - SetIcon changes the icon's property while D-Bus may be sending it. In the worst
//     case the tray shows half of the old icon until the next one.
var systrayRaces = []string{"fyne.io/systray.refresh()", "fyne.io/systray.SetIcon()"}

// knownRace reports whether a race is one of systray's, or the one of Fyne 2.8.1 at
// the end of a program, whose loop closes the queue of lifecycle events while another
// goroutine reads it.
func knownRace(report string) bool {
	accesses := accessStacks(report)
	if len(accesses) != 2 {
		return false
	}
	if strings.Contains(report, "runtime.closechan()") && strings.Contains(report, "(*Lifecycle).RunEventQueue()") {
		return true
	}
	known := false
	for _, stack := range accesses {
		ours := slices.IndexFunc(stack, func(f string) bool { return strings.HasPrefix(f, "porthole/") })
		inner := stack // the functions that our code called
		if ours >= 0 {
			inner = stack[:ours]
		}
		if slices.ContainsFunc(inner, func(f string) bool { return slices.Contains(systrayRaces, f) }) {
			known = true
		} else if ours >= 0 {
			return false
		}
	}
	return known
}

// accessStacks returns the stacks of the two accesses of a report, each with the
// functions from the innermost outwards. Stacks of goroutine creation are left out.
func accessStacks(report string) (stacks [][]string) {
	for paragraph := range strings.SplitSeq(report, "\n\n") {
		head, frames, _ := strings.Cut(strings.TrimLeft(paragraph, "\n"), "\n")
		if !strings.Contains(strings.ToLower(head), " at 0x") {
			continue
		}
		var stack []string
		for line := range strings.Lines(frames) {
			// A function is indented by two spaces, its file and line by six.
			if function, ok := strings.CutPrefix(line, "  "); ok && !strings.HasPrefix(function, " ") {
				stack = append(stack, strings.TrimSpace(function))
			}
		}
		stacks = append(stacks, stack)
	}
	return stacks
}

func TestOnlyKnownRacesAreIgnored(t *testing.T) {
	const (
		refresh   = "Write at 0x00c000123456 by goroutine 7:\n  fyne.io/systray.refresh()\n      /go/systray_menu_unix.go:496 +0x1\n  fyne.io/systray.addOrUpdateMenuItem()\n      /go/systray_menu_unix.go:270 +0x1\n  porthole/app/tray.(*Tray).Show()\n      /src/tray.go:80 +0x1\n"
		getLayout = "Previous read at 0x00c000123456 by goroutine 9:\n  fyne.io/systray.(*tray).GetLayout()\n      /go/systray_menu_unix.go:92 +0x1\n"
		setIcon   = "Write at 0x00c000123456 by goroutine 7:\n  fyne.io/systray.argbForImage()\n      /go/systray_unix.go:444 +0x1\n  fyne.io/systray.SetIcon()\n      /go/systray_unix.go:62 +0x1\n  porthole/app/tray.(*Tray).Show()\n      /src/tray.go:80 +0x1\n"
		encode    = "Previous read at 0x00c000123456 by goroutine 9:\n  reflect.Value.Uint()\n      /go/value.go:1 +0x1\n  github.com/godbus/dbus/v5.(*encoder).encode()\n      /go/encoder.go:1 +0x1\n"
		ours      = "Previous read at 0x00c000123456 by goroutine 9:\n  porthole/app/tray.(*Tray).clicked()\n      /src/tray.go:90 +0x1\n  fyne.io/systray.systrayMenuItemSelected()\n      /go/systray.go:1 +0x1\n"
		other     = "Write at 0x00c000123456 by goroutine 7:\n  fyne.io/systray.SetTooltip()\n      /go/systray_unix.go:123 +0x1\n"
		created   = "Goroutine 7 (running) created at:\n  porthole/app/tray.Start()\n      /src/tray.go:10 +0x1\n"
	)
	for _, c := range []struct {
		name, first, second string
		known               bool
	}{
		{"the menu's version", refresh, getLayout, true},
		{"the icon", setIcon, encode, true},
		{"our code in a callback of systray", refresh, ours, false},
		{"our code in another goroutine", setIcon, ours, false},
		{"another function of systray", other, getLayout, false},
		{"no systray at all", strings.ReplaceAll(ours, "Previous read", "Write"), ours, false},
	} {
		report := "\n" + c.first + "\n" + c.second + "\n" + created + "==================\n"
		if got := knownRace(report); got != c.known {
			t.Errorf("%s: known %t, want %t", c.name, got, c.known)
		}
	}
	const log = "==================\nWARNING: DATA RACE\n"
	if got := unknownRaces(log + refresh + "\n" + getLayout + "\n" + log + refresh + "\n" + ours); len(got) != 1 {
		t.Errorf("got %d unknown races of two, want 1: %q", len(got), got)
	}
}
