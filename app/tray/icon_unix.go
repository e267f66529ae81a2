//go:build !windows

package tray

import (
	"strings"

	"porthole/ui/tray"
)

// A single "_" in a label marks the key for the next letter (the
// com.canonical.dbusmenu interface); two are one that is shown.
var mnemonicEscaper = strings.NewReplacer("_", "__")

// buildWhenReady is false: systray reads icon and menu once, when it registers.
const buildWhenReady = false

func encodeIcon(icon tray.Icon) ([]byte, error) { return icon.PNG() }
