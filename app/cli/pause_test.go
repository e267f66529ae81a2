package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"porthole/app/ipc"
)

func TestPauseRefusesInvalidDurations(t *testing.T) {
	for _, arg := range []string{"", "x", "-5m", "0s", "30"} {
		if err := runPause([]string{arg}, Options{}); Status(err) != 2 || !strings.Contains(err.Error(), "such as 30m") {
			t.Errorf("pause %q: got %v, want a UsageError", arg, err)
		}
	}
}

func TestPrintPause(t *testing.T) {
	until := time.Date(2026, 11, 26, 10, 20, 30, 0, time.UTC)
	for _, test := range []struct {
		status     ipc.Status
		text, json string
	}{
		{ipc.Status{}, "Notifications are on.\n", `{"paused":false}` + "\n"},
		{ipc.Status{Paused: true}, "Notifications are paused until \"porthole resume\".\n", `{"paused":true}` + "\n"},
		{ipc.Status{Paused: true, PausedUntil: until}, "Notifications are paused until " + timeText(until, time.Now()) + ".\n", `{"paused":true,"until":"2026-11-26T10:20:30Z"}` + "\n"},
	} {
		var text, json bytes.Buffer
		if err := printPause(test.status, Options{Stdout: &text}); err != nil || text.String() != test.text {
			t.Errorf("got %q, %v, want %q", text.String(), err, test.text)
		}
		if err := printPause(test.status, Options{Stdout: &json, JSON: true}); err != nil || json.String() != test.json {
			t.Errorf("got %q, %v, want %q", json.String(), err, test.json)
		}
	}
}
