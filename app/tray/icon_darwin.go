package tray

import (
	"strings"

	"porthole/ui/tray"
)

// mnemonicEscaper changes nothing: menus of macOS have no mnemonics.
var mnemonicEscaper = strings.NewReplacer()

// buildWhenReady is false because systray reads icon and menu only once, when it
// registers.
const buildWhenReady = false

func encodeIcon(icon tray.Icon) ([]byte, error) { return icon.PNG() }
