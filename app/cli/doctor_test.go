package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"porthole/app/doctor"
)

func TestDoctorOfABrokenSettingsFile(t *testing.T) {
	setSettings(t, "grace: soon\n")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	var text, object bytes.Buffer
	if err := Doctor(t.Context(), DoctorOptions{Options: doctor.Options{Version: "7"}, Stdout: &text}); !errors.Is(err, ErrUnhealthy) {
		t.Errorf("Doctor: %v, want ErrIll", err)
	}
	if !strings.HasPrefix(text.String(), "Porthole 7 on ") || !strings.Contains(text.String(), "line 1") {
		t.Errorf("the report does not name the line:\n%s", text.String())
	}
	if err := Doctor(t.Context(), DoctorOptions{JSON: true, Stdout: &object}); !errors.Is(err, ErrUnhealthy) {
		t.Errorf("Doctor --json: %v, want ErrIll", err)
	}
	var r doctor.Report
	if err := json.Unmarshal(object.Bytes(), &r); err != nil || len(r.Findings) < 10 {
		t.Errorf("%d findings in %s, %v", len(r.Findings), object.Bytes(), err)
	}
}
