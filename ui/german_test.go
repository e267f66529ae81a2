package ui

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/assets"
	"porthole/monitor/history"
)

// inGerman lets the rest of a test speak German.
func inGerman(t *testing.T) {
	t.Helper()
	use := func(language string) {
		words, err := assets.Translations.ReadFile(folder + "/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := lang.AddTranslationsForLocale(words, lang.SystemLocale()); err != nil {
			t.Fatal(err)
		}
	}
	use("de")
	t.Cleanup(func() { use("en") })
}

func TestGermanNumbersAndDays(t *testing.T) {
	inGerman(t)
	now := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	for _, c := range [][2]string{
		{Moment(now, now), "heute 15:53:00"},
		{Moment(time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC), now), "02.03.2026 03:04:05"},
		{TenureText(history.Tenure{From: time.Date(2026, 3, 2, 3, 4, 0, 0, time.UTC)}, now), "seit 02.03.2026 03:04"},
		{Day(time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC), now), "Montag, 2. März"},
		{Day(time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), now), "Mittwoch, 31. Dezember 2025"},
		{shortDuration(1500 * time.Millisecond), "1,5 s"},
		{shortDuration(2 * time.Second), "2 s"},
		{Speed(1234), "1,2 kB/s"},
		{Speed(41e3), "41 kB/s"},
		{Duration(25 * time.Hour), "1 Tg."},
		{formatInt(1234567), "1.234.567"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q; want %q", c[0], c[1])
		}
	}
}

func TestSettingsOfferGerman(t *testing.T) {
	d := settingsDesk(t, Settings{Language: "de"})
	if c := d.choice("language"); c.Selected != "Deutsch" || !slices.Contains(c.Options, "English") {
		t.Errorf("%q of %q", c.Selected, c.Options)
	}
}
