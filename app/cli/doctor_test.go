package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"porthole/app/doctor"
)

func TestDoctorReportsBrokenSettings(t *testing.T) {
	setSettings(t, "grace_period: soon\n")
	var text, object bytes.Buffer
	if err := runDoctor(t.Context(), doctorOptions{Options: doctor.Options{Version: "7"}, Stdout: &text}); !errors.Is(err, ErrUnhealthy) {
		t.Errorf("error = %v, want ErrUnhealthy", err)
	}
	if !strings.HasPrefix(text.String(), "Porthole 7 on ") || !strings.Contains(text.String(), "line 1") {
		t.Errorf("the report does not name the line:\n%s", text.String())
	}
	if err := runDoctor(t.Context(), doctorOptions{JSON: true, Stdout: &object}); !errors.Is(err, ErrUnhealthy) {
		t.Errorf("with --json: error = %v, want ErrUnhealthy", err)
	}
	var r doctor.Report
	if err := json.Unmarshal(object.Bytes(), &r); err != nil || len(r.Findings) < 10 {
		t.Errorf("got %d findings in %s, %v, want at least 10", len(r.Findings), object.Bytes(), err)
	}
}
