package words

import (
	"time"

	"fyne.io/fyne/v2/lang"
)

// PauseFor are the pauses that the menu offers; 0 means until resumed.
var PauseFor = []time.Duration{15 * time.Minute, time.Hour, 0}

// PauseText returns the menu's line for a pause of d.
func PauseText(d time.Duration) string {
	switch d {
	case 0:
		return lang.L("Pause notifications until resumed")
	case time.Hour:
		return lang.L("Pause notifications for 1 hour")
	}
	return lang.L("Pause notifications for {{.Minutes}} minutes", map[string]any{"Minutes": int(d.Minutes())})
}
