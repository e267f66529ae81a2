package assets_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"fyne.io/fyne/v2/lang"

	"porthole/assets"
)

func TestLanguages(t *testing.T) {
	if got, want := assets.Languages(), []string{"de", "en"}; !slices.Equal(got, want) {
		t.Errorf("Languages() = %q, want %q", got, want)
	}
}

// TestTranslationHasEveryKey also checks three kinds of keys: one that is its own English
// text, one whose English differs, and one with plural forms.
func TestTranslationHasEveryKey(t *testing.T) {
	translation := func(language string) map[string]any {
		data, err := assets.Translation(language)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatalf("%s: %v", language, err)
		}
		return texts
	}
	english, german := translation("en"), translation("de")
	if len(english) != len(german) {
		t.Errorf("%d texts in English, %d in German; want as many", len(english), len(german))
	}
	for key := range german {
		if english[key] == nil {
			t.Errorf("no English text for %q", key)
		}
	}
	if got := english["Settings"]; got != "Settings" {
		t.Errorf("English text of %q = %q, want the key", "Settings", got)
	}
	if got := english["Up for"]; got != "Up" {
		t.Errorf("English text of %q = %q, want %q", "Up for", got, "Up")
	}
	if forms, _ := english["{{.Count}} ports"].(map[string]any); forms["one"] != "{{.Count}} port" {
		t.Errorf("English forms of %q = %v, want \"one\" to be %q", "{{.Count}} ports", forms, "{{.Count}} port")
	}
}

func TestTranslationsLoad(t *testing.T) {
	for _, language := range assets.Languages() {
		data, err := assets.Translation(language)
		if err != nil {
			t.Fatal(err)
		}
		if err := lang.AddTranslationsForLocale(data, lang.SystemLocale()); err != nil {
			t.Errorf("%s: %v", language, err)
		}
	}
}

func TestTranslationUnknown(t *testing.T) {
	if _, err := assets.Translation("xx"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Translation(%q): %v, want %v", "xx", err, fs.ErrNotExist)
	}
}
