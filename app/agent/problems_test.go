package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"porthole/app/notify"
	"porthole/app/settings"
	"porthole/ui/uitest"
)

// A part of the desktop that starts a moment later, or again, is not reported as missing.
func TestMissingPartsAreReportedAfterADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, "")
		defer a.quit()
		shown := 0
		// after handles what happens in d, and fails unless the number of problems is then as wanted.
		after := func(what string, d time.Duration, want int) {
			t.Helper()
			for _, wait := range []time.Duration{0, d} {
				time.Sleep(wait)
				synctest.Wait()
				for len(a.inbox) > 0 {
					(<-a.inbox)()
				}
			}
			if got := a.problems.texts(); len(got) != want {
				t.Errorf("%s: got problems %q, want %d", what, got, want)
			}
		}
		missing := func() { a.setMissing("tray", "no tray", func() { shown++ }) }

		missing()
		after("just before the delay", missingDelay-time.Millisecond, 0)
		a.setProblem("tray", "")
		after("back within the delay", time.Hour, 0)

		missing()
		after("missing for a while", missingDelay/2, 0)
		missing() // reported again: it has been missing since the first report
		after("missing for the delay", missingDelay/2, 1)
		a.setProblem("tray", "")
		after("back", 0, 0)
		if shown != 1 {
			t.Errorf("shown was called %d times, want 1", shown)
		}

		a.reportDelivery(notify.ErrNoService)
		after("no notification daemon", missingDelay-time.Millisecond, 0)
		a.reportDelivery(nil)
		after("a daemon started", time.Hour, 0)
		a.reportDelivery(notify.ErrNoService)
		after("no daemon", missingDelay, 1)
		a.reportDelivery(nil)
		after("a daemon started late", 0, 0)
		a.reportDelivery(errors.New("rejected"))
		after("not missing, but broken", 0, 1)
	})
}

// The settings file's problems are in the language of the window, with path and line.
func TestSettingsProblemsAreTranslated(t *testing.T) {
	uitest.InGerman(t)
	path := filepath.Join(t.TempDir(), "settings.yaml")
	for text, want := range map[string]string{
		"colour: red\n":                  "Einstellungsdatei: PATH, Zeile 1: Der unbekannte Schlüssel „colour“ wird ignoriert",
		"wachtes: []\n":                  "Einstellungsdatei: PATH, Zeile 1: Der unbekannte Schlüssel „wachtes“ wird ignoriert (gemeint: watches?)",
		"udp: perhaps\n":                 "Die Einstellungsdatei ist nicht lesbar, daher gelten die letzten gültigen Einstellungen oder die Vorgaben: PATH, Zeile 1: udp muss true oder false sein",
		"watches:\n  - ports: 70000\n":   "Die Einstellungsdatei ist nicht lesbar, daher gelten die letzten gültigen Einstellungen oder die Vorgaben: PATH, Zeile 2: „70000“: Ein Port ist eine Zahl von 1 bis 65535",
		"watches:\n  - match: \"a(b\"\n": "Die Einstellungsdatei ist nicht lesbar, daher gelten die letzten gültigen Einstellungen oder die Vorgaben: PATH, Zeile 2: match: „a(b“ bei Zeichen 1: missing closing )",
		"watches: [\n":                   "Die Einstellungsdatei ist nicht lesbar, daher gelten die letzten gültigen Einstellungen oder die Vorgaben: PATH, Zeile 1: „[“ ohne „]“",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := settings.Open(path).Load()
		got := settingsWarning(s.Warnings)
		if err != nil {
			got = settingsProblem(err)
		}
		if got != strings.ReplaceAll(want, "PATH", path) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
