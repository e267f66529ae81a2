package words

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/assets"
)

// SetUpLanguage loads the translations of a language into Fyne's package lang; "" is the
// system's language. A language without a translation becomes English. Call it once,
// before the first text is needed.
func SetUpLanguage(chosen string) error {
	locale := lang.SystemLocale()
	system, _, _ := strings.Cut(locale.LanguageString(), "-")
	name := cmp.Or(chosen, system)
	if !slices.Contains(assets.Languages(), name) {
		name = "en"
	}
	texts, err := assets.Translation(name)
	if err != nil {
		return err
	}
	if name == system {
		err = lang.AddTranslations(fyne.NewStaticResource(name+".json", texts))
	} else { // Fyne uses only the system's language, so the texts are registered under that
		err = lang.AddTranslationsForLocale(texts, locale)
	}
	if err != nil {
		return fmt.Errorf("use the %s texts for %s: %w", name, locale, err)
	}
	return nil
}

// ownNames are the names of languages in the languages themselves: a user who looks for
// one may not understand the others.
var ownNames = map[string]string{"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "nl": "Nederlands", "pl": "Polski", "pt": "Português"}

// LanguageName returns a language's own name, or its code if it has none.
func LanguageName(code string) string { return cmp.Or(ownNames[code], code) }
