//go:build linux

package doctor

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bus starts a session bus that starts no services, and returns its address.
func bus(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "bus.conf")
	text := `<busconfig><type>session</type><listen>unix:tmpdir=` + dir + `</listen>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Skipf("needs dbus-daemon: %v", err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon said %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

// alone gives the test an environment without any desktop.
func alone(t *testing.T) {
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
	t.Fatalf("nothing is said of %q in %+v", subject, r)
	return Finding{}
}

func TestWithoutADesktopTheFixIsSaid(t *testing.T) {
	alone(t)
	r := Examine(t.Context(), Options{Version: "7", HasWindow: false})
	if r.Healthy() {
		t.Error("a machine without a desktop is healthy; want not")
	}
	for subject, want := range map[string]Status{"Listening ports": OK, "Session bus": Error, "Notifications": Error, "Tray": Warning,
		"Display": Error, "OpenGL": Warning, "Running Porthole": Warning} {
		if f := find(t, r, subject); f.Status != want {
			t.Errorf("%s is %s (%s), want %s", subject, f.Status, f.Message, want)
		}
	}
	for _, f := range r.Findings {
		if asked := f.Message == "cannot be asked without a session bus"; f.Status != OK && f.Fix == "" && !asked {
			t.Errorf("%s does not work and has no fix: %s", f.Subject, f.Message)
		}
	}
}

func TestOnABusWithoutServicesGNOMEIsToldOfItsExtension(t *testing.T) {
	alone(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", bus(t))
	t.Setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
	r := Examine(t.Context(), Options{})
	if f := find(t, r, "Session bus"); f.Status != OK {
		t.Errorf("the bus is %+v, want it to work", f)
	}
	if f := find(t, r, "Tray"); f.Status != Warning || !strings.Contains(f.Fix, "AppIndicator") {
		t.Errorf("the tray is %+v, want the extension named", f)
	}
	if f := find(t, r, "Notifications"); f.Status != Error || !strings.Contains(f.Fix, "dunst") {
		t.Errorf("notifications are %+v, want a service named", f)
	}
}

func TestTheHomeFolderIsNotTold(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil || len(home) < 2 {
		t.Skip("no home folder")
	}
	var r Report
	r.add(Finding{Subject: "Settings", Status: Error, Message: home + "/a\x1b[31m", Fix: "look at " + home})
	if got := r.String(); strings.Contains(got, home) || !strings.Contains(got, "~/a") || strings.Contains(got, "\x1b") {
		t.Errorf("the report is %q", got)
	}
}

func TestJSONSaysTheSame(t *testing.T) {
	r := Report{Version: "7", System: "here", Findings: []Finding{{Subject: "Tray", Status: Warning, Message: "none", Fix: "get one"}}}
	var text strings.Builder
	if err := r.Encode(&text); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal([]byte(text.String()), &back); err != nil || len(back.Findings) != 1 || back.Findings[0] != r.Findings[0] {
		t.Errorf("%s is %+v, %v", text.String(), back, err)
	}
	if !r.Healthy() {
		t.Error("what is missing makes ill; want only what is broken to")
	}
}
