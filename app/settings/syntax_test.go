package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The line in an error is that of the mistake, which is marked with "<<" here.
// The YAML parser itself often notices it some lines later.
func TestErrorHasTheLineOfTheMistake(t *testing.T) {
	for what, text := range map[string]string{
		"bracket":                  "theme: dark\nwatches:\n  - ports: 80\n    notify_on: [open, close<<\n  - ports: 81\n    name: x\nsound: true\n",
		"bracket before comments":  "watches:\n  - ports: 80\n    notify_on: [open<<\n    # one\n    # two\n  - ports: 81\n",
		"brace":                    "watches:\n  - {ports: 80, name: x<<\n  - ports: 81\nsound: true\n",
		"double quote":             "watches:\n  - ports: 80\n    name: \"shop<<\n  - ports: 81\n    name: \"blog\"\nsound: true\n",
		"single quote":             "watches:\n  - ports: 80\n    name: 'shop<<\n  - ports: 81\n    name: 'blog'\n",
		"quote at the end":         "watches:\n  - ports: 80\n    name: \"shop<<\n",
		"tab":                      "watches:\n  - ports: 80\n\t  name: x<<\n  - ports: 81\n",
		"indentation of a key":     "watches:\n  - ports: 80\n   name: x<<\n  - ports: 81\n",
		"deeper key":               "watches:\n  - ports: 80\n      name: x<<\n  - ports: 81\n",
		"indentation of an entry":  "watches:\n  - ports: 80\n - ports: 81<<\n  - ports: 82\n",
		"key without a colon":      "watches:\n  - ports: 80\nsound true<<\ntheme: dark\n",
		"key without a space":      "watches:\n  - ports: 80\n    name:x<<\n  - ports: 81\n",
		"two colons":               "watches:\n  - ports: 80\n    name: a: b<<\n  - ports: 81\n",
		"asterisk":                 "watches:\n  - ports: 80\n    match: *<<\n  - ports: 81\n",
		"percent":                  "watches:\n  - ports: 80\n    match: %x<<\n  - ports: 81\n",
		"at sign":                  "watches:\n  - ports: 80\n    match: @app<<\n  - ports: 81\n",
		"escape":                   "watches:\n  - ports: 80\n    match: \"\\d\"<<\n  - ports: 81\n",
		"comma without brackets":   "watches:\n  - ports: 80\n    notify_on: open], close<<\n  - ports: 81\n",
		"conflict of two versions": "watches:\n<<<<<<< HEAD\n  - ports: 80\n=======\n  - ports: 81\n>>>>>>> other\n",
	} {
		line := 0
		for i, l := range strings.Split(text, "\n") {
			if line == 0 && strings.Contains(l, "<<") {
				line = i + 1
			}
		}
		if !strings.Contains(text, "<<<<") {
			text = strings.Replace(text, "<<", "", 1)
		}
		path := filepath.Join(t.TempDir(), "settings.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path).Load(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf(": line %d: ", line)) {
			t.Errorf("%s: got error %v, want line %d of\n%s", what, err, line, text)
		}
	}
}
