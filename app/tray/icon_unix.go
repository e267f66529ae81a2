//go:build !windows

package tray

import (
	"strings"

	"porthole/ui/tray"
)

// A single "_" in a label marks the key for the next letter (the
// com.canonical.dbusmenu interface); two are one that is shown.
var mnemonics = strings.NewReplacer("_", "__")

// builtWhenReady is false: systray reads icon and menu once, when it registers.
const builtWhenReady = false

func picture(icon tray.Icon) ([]byte, error) { return icon.PNG() }
