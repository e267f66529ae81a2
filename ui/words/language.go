package words

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/assets"
)

// folder is where the translations are.
const folder = "translations"

// SetUpLanguage gives Fyne's lang our words, in the language that was chosen,
// "" for the system's. Call it once, before the first of them is needed.
func SetUpLanguage(chosen string) error {
	if err := lang.AddTranslationsFS(assets.Translations, folder); err != nil {
		return fmt.Errorf("read the translations: %w", err)
	}
	locale := lang.SystemLocale()
	system, _, _ := strings.Cut(locale.LanguageString(), "-")
	name := cmp.Or(chosen, system)
	if !hasTranslation(name) {
		name = "en"
	}
	if name == system {
		return nil
	}
	// Fyne knows languages that we do not, and asks for the system's alone: the
	// words are put where it looks.
	words, err := assets.Translations.ReadFile(path.Join(folder, name+".json"))
	if err != nil {
		return fmt.Errorf("read the words of %s: %w", name, err)
	}
	if err := lang.AddTranslationsForLocale(words, locale); err != nil {
		return fmt.Errorf("use the words of %s for %s: %w", name, locale, err)
	}
	return nil
}

// hasTranslation reports whether there is a translation into a language.
func hasTranslation(name string) bool {
	_, err := fs.Stat(assets.Translations, path.Join(folder, name+".json"))
	return err == nil
}

// Languages are those that there are translations into, in order of their
// codes.
func Languages() []string {
	files, err := fs.Glob(assets.Translations, folder+"/*.json")
	if err != nil {
		return nil // the pattern is not wrong
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".json")
	}
	return files
}

// ownNames are how languages call themselves: whoever looks for one does not
// read the others.
var ownNames = map[string]string{"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "nl": "Nederlands", "pl": "Polski", "pt": "Português"}

// LanguageName is how a language calls itself, or its code.
func LanguageName(code string) string { return cmp.Or(ownNames[code], code) }
