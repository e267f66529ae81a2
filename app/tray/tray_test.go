package tray

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestGuardRecoversFromALostBus(t *testing.T) {
	var log bytes.Buffer
	icon := &Tray{log: slog.New(slog.NewTextHandler(&log, nil))}
	icon.guard(func() { panic("write: broken pipe") }) // as godbus does
	if !strings.Contains(log.String(), "broken pipe") {
		t.Errorf("got log %q, want the reason of the panic", log.String())
	}
}
