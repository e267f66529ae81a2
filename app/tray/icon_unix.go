//go:build !windows

package tray

import (
	"strings"

	"porthole/ui/tray"
)

// mnemonicEscaper escapes "_" in menu labels, which otherwise marks the mnemonic
// (com.canonical.dbusmenu interface).
var mnemonicEscaper = strings.NewReplacer("_", "__")

// buildWhenReady is false because systray reads icon and menu only once, when it
// registers.
const buildWhenReady = false

func encodeIcon(icon tray.Icon) ([]byte, error) { return icon.PNG() }
