package widgets

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestFitClientKeepsPID(t *testing.T) {
	test.NewTempApp(t)
	const width, size = 120, 12
	for client, end := range map[string]string{"a-client-with-a-very-long-name 4711": "… 4711", "unknown (user a very long name)": "…", "curl 7": "curl 7"} {
		got := fitClient(client, width, size, fyne.TextStyle{Monospace: true})
		if !strings.HasSuffix(got, end) || fyne.MeasureText(got, size, fyne.TextStyle{Monospace: true}).Width > width {
			t.Errorf("fitClient(%q) = %q, want it to end in %q", client, got, end)
		}
	}
}
