package tray

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestABusThatHasGoneIsNoPanic(t *testing.T) {
	var said bytes.Buffer
	icon := &Tray{log: slog.New(slog.NewTextHandler(&said, nil))}
	icon.guard(func() { panic("write: broken pipe") }) // as godbus does
	if !strings.Contains(said.String(), "broken pipe") {
		t.Errorf("the log says %q; want why the icon stays", said.String())
	}
}
