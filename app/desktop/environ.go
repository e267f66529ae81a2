package desktop

import (
	"os"
	"slices"
	"strings"
)

// Environment variables of Fyne (2.8.1) that the window process sets.
const (
	// ScaleVariable is the scale of the windows. It includes the zoom.
	ScaleVariable = "FYNE_SCALE"
	// NoDPIVariable is "true" if Fyne must not compute a scale from the size of the monitor.
	NoDPIVariable = "FYNE_DISABLE_DPI_DETECTION"
)

// atStart are the user's own values of these variables.
var atStart = func() (own []string) {
	for _, name := range []string{ScaleVariable, NoDPIVariable} {
		if value, ok := os.LookupEnv(name); ok {
			own = append(own, name+"="+value)
		}
	}
	return own
}()

// ChildEnviron returns the environment for programs that Porthole starts: its own, with the user's
// scale in place of the window's. It may be called from any goroutine.
func ChildEnviron() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, ScaleVariable+"=") || strings.HasPrefix(v, NoDPIVariable+"=")
	})
	return append(env, atStart...)
}
