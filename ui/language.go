package ui

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/assets"
)

// SetUpLanguage gives Fyne's lang our words. Call it once, before the first of
// them is needed.
func SetUpLanguage() error {
	if err := lang.AddTranslationsFS(assets.Translations, "translations"); err != nil {
		return fmt.Errorf("read the translations: %w", err)
	}
	// Fyne knows languages that we do not; for those lang would log an error
	// for each of our words. They get the English ones.
	locale := lang.SystemLocale()
	name, _, _ := strings.Cut(locale.LanguageString(), "-")
	if _, err := assets.Translations.Open("translations/" + name + ".json"); err == nil {
		return nil
	}
	english, err := assets.Translations.ReadFile("translations/en.json")
	if err != nil {
		return fmt.Errorf("read the English words: %w", err)
	}
	if err := lang.AddTranslationsForLocale(english, locale); err != nil {
		return fmt.Errorf("use the English words for %s: %w", locale, err)
	}
	return nil
}
