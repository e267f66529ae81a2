package assets

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// translations holds the texts of each language in translations/LANGUAGE.json: a
// map from the key, which is the English text in the code, to the text, or to its
// plural forms. en.json has only the plural forms, and texts that differ from
// their key.
//
//go:embed translations
var translations embed.FS

// Languages returns the codes of the languages that have a translation, sorted.
func Languages() []string {
	files, err := fs.Glob(translations, "translations/*.json")
	if err != nil {
		return nil // the pattern is valid
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".json")
	}
	return files
}

// Translation returns the texts of a language, in the JSON that fyne's
// lang.AddTranslations reads. It has a text for each key of every language: the
// key itself if the language's file has none. It returns an error that wraps
// fs.ErrNotExist if there is no translation into the language.
func Translation(language string) ([]byte, error) {
	own, err := texts(language)
	if err != nil {
		return nil, err
	}
	for _, other := range Languages() {
		keys, err := texts(other)
		if err != nil {
			return nil, err
		}
		for key := range keys {
			if _, ok := own[key]; !ok {
				own[key] = json.RawMessage(quote(key))
			}
		}
	}
	return json.Marshal(own)
}

// texts reads the file of a language.
func texts(language string) (map[string]json.RawMessage, error) {
	data, err := translations.ReadFile(path.Join("translations", language+".json"))
	if err != nil {
		return nil, fmt.Errorf("read the translation: %w", err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("read the translation %s.json: %w", language, err)
	}
	return all, nil
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string never fails
	return b
}
