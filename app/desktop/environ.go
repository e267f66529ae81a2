package desktop

import (
	"os"
	"strings"
)

// ScaleVariable is the environment variable from which Fyne reads the scale of its windows. The
// window process sets it to zoom.
const ScaleVariable = "FYNE_SCALE"

// scaleAtStart is the user's own scale.
var scaleAtStart, hasScaleAtStart = os.LookupEnv(ScaleVariable)

// ChildEnviron returns the environment for programs that Porthole starts: its own, with the user's
// scale in place of the window's zoom. It may be called from any goroutine.
func ChildEnviron() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, ScaleVariable+"=") {
			env = append(env, v)
		}
	}
	if hasScaleAtStart {
		env = append(env, ScaleVariable+"="+scaleAtStart)
	}
	return env
}
