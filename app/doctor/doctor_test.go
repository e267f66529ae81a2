//go:build linux

package doctor

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"porthole/internal/fakebus"
)

// withoutDesktop removes the desktop session from the test's environment.
func withoutDesktop(t *testing.T) {
	t.Helper()
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_CURRENT_DESKTOP"} {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
}

func find(t *testing.T, r Report, subject string) Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.Subject == subject {
			return f
		}
	}
	t.Fatalf("no finding about %q in %+v", subject, r)
	return Finding{}
}

func TestExamineWithoutDesktop(t *testing.T) {
	withoutDesktop(t)
	r := Examine(t.Context(), Options{Version: "7", HasWindow: false})
	if r.Healthy() {
		t.Error("Healthy() = true without a desktop, want false")
	}
	for subject, want := range map[string]Status{"Listening ports": OK, "Session bus": Error, "Notifications": Error, "Tray": Warning,
		"Display": Error, "OpenGL": Warning, "Running Porthole": Warning} {
		if f := find(t, r, subject); f.Status != want {
			t.Errorf("status of %s = %s (%s), want %s", subject, f.Status, f.Message, want)
		}
	}
	for _, f := range r.Findings {
		if f.Status != OK && f.Fix == "" && f.Message != needsBus {
			t.Errorf("%s: %s (%s) has no fix", f.Subject, f.Status, f.Message)
		}
	}
}

func TestExamineOnBusWithoutServices(t *testing.T) {
	withoutDesktop(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", fakebus.Start(t))
	t.Setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
	r := Examine(t.Context(), Options{})
	if f := find(t, r, "Session bus"); f.Status != OK {
		t.Errorf("session bus: got %+v, want ok", f)
	}
	if f := find(t, r, "Tray"); f.Status != Warning || !strings.Contains(f.Fix, "AppIndicator") {
		t.Errorf("tray: got %+v, want a warning that names GNOME's extension", f)
	}
	if f := find(t, r, "Notifications"); f.Status != Error || !strings.Contains(f.Fix, "dunst") {
		t.Errorf("notifications: got %+v, want an error that names a daemon to install", f)
	}
}

func TestReportDoesNotContainTheHomeFolder(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil || len(home) < 2 {
		t.Skip("no home folder")
	}
	var r Report
	r.add(Finding{Subject: "Settings", Status: Error, Message: home + "/a\x1b[31m", Fix: "look at " + home})
	if got := r.String(); strings.Contains(got, home) || !strings.Contains(got, "~/a") || strings.Contains(got, "\x1b") {
		t.Errorf("report = %q, want ~ for the home folder and no control characters", got)
	}
}

func TestReportJSON(t *testing.T) {
	r := Report{Version: "7", System: "here", Findings: []Finding{{Subject: "Tray", Status: Warning, Message: "none", Fix: "get one"}}}
	var text strings.Builder
	if err := r.Encode(&text); err != nil {
		t.Fatal(err)
	}
	const want = `{"version":"7","system":"here","findings":[{"subject":"Tray","status":"warning","message":"none","fix":"get one"}]}` + "\n"
	if text.String() != want {
		t.Errorf("got %s, want %s", text.String(), want)
	}
	var back Report
	if err := json.Unmarshal([]byte(text.String()), &back); err != nil || len(back.Findings) != 1 || back.Findings[0] != r.Findings[0] {
		t.Errorf("decoded %s to %+v, %v; want %+v", text.String(), back, err, r)
	}
	if !r.Healthy() {
		t.Error("Healthy() = false with a warning, want true: only errors count")
	}
}
