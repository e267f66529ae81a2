package tray

import (
	"bytes"
	"encoding/binary"
	"strings"

	"porthole/ui/tray"
)

// "&" marks the key for the next letter in a Windows menu; two are one that is shown.
var mnemonicEscaper = strings.NewReplacer("&", "&&")

// buildWhenReady is true: systray takes neither icon nor menu before it has a
// window of its own.
const buildWhenReady = true

// encodeIcon wraps the PNG into an ICO file with one image, which Windows reads
// since Vista.
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
