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

// SetUpLanguage gives Fyne's lang the texts of the chosen language, "" for that of
// the system. A language without a translation becomes English. Call it once,
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
	} else { // Fyne looks for the system's language only, so the texts are stored as that
		err = lang.AddTranslationsForLocale(texts, locale)
	}
	if err != nil {
		return fmt.Errorf("use the %s texts for %s: %w", name, locale, err)
	}
	return nil
}

// ownNames are how languages call themselves: whoever looks for one does not
// read the others.
var ownNames = map[string]string{"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "nl": "Nederlands", "pl": "Polski", "pt": "Português"}

// LanguageName is how a language calls itself, or its code.
func LanguageName(code string) string { return cmp.Or(ownNames[code], code) }
