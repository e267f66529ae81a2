package assets_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestTranslationKeysAreSorted keeps the files in the byte order of their keys: a new text has
// one place, and two branches that add texts conflict only where both add at the same place.
func TestTranslationKeysAreSorted(t *testing.T) {
	files, err := filepath.Glob("translations/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("translations/*.json: %d files, %v", len(files), err)
	}
	for _, file := range files {
		keys := keysInOrder(t, file)
		for i := 1; i < len(keys); i++ {
			if keys[i] <= keys[i-1] {
				t.Errorf("%s: %q follows %q, want it sorted before", file, keys[i], keys[i-1])
			}
		}
	}
}

// keysInOrder returns the keys of the JSON object in file, as they follow one another there.
func keysInOrder(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoder := json.NewDecoder(f)
	if _, err := decoder.Token(); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var keys []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatalf("%s: %q: %v", file, key, err)
		}
	}
	return keys
}
