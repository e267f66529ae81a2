package tray

import (
	"bytes"
	"encoding/binary"
	"strings"

	"porthole/ui/tray"
)

// mnemonicEscaper escapes "&" in menu labels, which otherwise marks the mnemonic.
var mnemonicEscaper = strings.NewReplacer("&", "&&")

// buildWhenReady is true because systray accepts neither icon nor menu before it
// has created its window.
const buildWhenReady = true

// encodeIcon returns an ICO file with one PNG image, which Windows supports since Vista.
func encodeIcon(icon tray.Icon) ([]byte, error) {
	png, err := icon.PNG()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	header := struct {
		Reserved, Type, Count         uint16
		Width, Height, Colors, Unused uint8
		Planes, Bits                  uint16
		Size, Offset                  uint32
	}{Type: 1, Count: 1, Width: 64, Height: 64, Planes: 1, Bits: 32, Size: uint32(len(png)), Offset: 22}
	if err := binary.Write(&b, binary.LittleEndian, header); err != nil {
		return nil, err
	}
	b.Write(png)
	return b.Bytes(), nil
}
