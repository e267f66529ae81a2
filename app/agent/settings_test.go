package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/app/ipc"
	"porthole/app/notify"
	"porthole/app/settings"
)

func TestSetAppliesAndSavesASetting(t *testing.T) {
	r := runAgent(t)
	for _, c := range []struct {
		key, value string
		isSet      func(settings.Settings) bool
	}{
		{"udp", "true", func(s settings.Settings) bool { return s.UDP }},
		{"polling_interval", "500ms", func(s settings.Settings) bool { return s.PollingInterval == 500*time.Millisecond }},
		{"notifications", "false", func(s settings.Settings) bool { return !s.Notifications }},
		{"theme", "dark", func(s settings.Settings) bool { return s.Theme == "dark" }},
		{"tray_icon", "light", func(s settings.Settings) bool { return s.TrayIcon == "light" }},
		{"history_days", "7", func(s settings.Settings) bool { return s.HistoryDays == 7 }},
	} {
		if problem, s := r.set(c.key, c.value); problem != "" || !c.isSet(s.Settings) {
			t.Errorf("%s: got problem %q and status %+v, want %s", c.key, problem, s.Settings, c.value)
		}
		b, err := os.ReadFile(settings.Path())
		if err != nil || !strings.Contains(string(b), c.key+": "+c.value+"\n") {
			t.Errorf("%s is not in the file (error %v):\n%s", c.key, err, b)
		}
	}
	r.waitForStatus("the polling interval 500 ms", func(s *ipc.Status) bool { return s.Health.Interval == 500*time.Millisecond })
	problem, s := r.set("history_days", "0")
	if !strings.HasPrefix(problem, "Can't change the setting: ") || s.Settings.HistoryDays != 7 {
		t.Errorf("invalid value: got problem %q and %d days, want a problem and 7 days", problem, s.Settings.HistoryDays)
	}
}

func TestEditsOfTheSettingsFileAreApplied(t *testing.T) {
	r := runAgent(t)
	r.set("sound", "false") // the agent may start watching the file a little later
	for range 20 {
		if err := os.WriteFile(settings.Path(), []byte("sound: true\nwatches: []\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-r.messages:
			if m.Kind == ipc.StatusUpdate && m.Status.Settings.Sound {
				return
			}
		case <-time.After(time.Second):
		}
	}
	t.Error("the window got no status after 20 edits")
}

func TestStartAtLoginIsTheActualState(t *testing.T) {
	r := runAgent(t)
	file := r.path("autostart/io.github.porthole.porthole.desktop")
	if problem, s := r.set(ipc.KeyStartAtLogin, "true"); problem != "" || !s.StartAtLogin {
		t.Errorf("got problem %q and start_at_login %t, want true", problem, s.StartAtLogin)
	}
	if err := os.Remove(file); err != nil { // as another program could
		t.Fatal(err)
	}
	r.send(ipc.Message{Kind: ipc.ReloadSettings})
	r.waitForStatus("start_at_login false", func(s *ipc.Status) bool { return !s.StartAtLogin })
	if err := os.Remove(r.path("autostart")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("autostart"), nil, 0o600); err != nil { // a file in place of the directory
		t.Fatal(err)
	}
	if problem, s := r.set(ipc.KeyStartAtLogin, "true"); problem == "" || s.StartAtLogin {
		t.Errorf("unwritable file: got problem %q and start_at_login %t, want a problem and false", problem, s.StartAtLogin)
	}
}

func TestTestNotificationGetsAResult(t *testing.T) {
	r := runAgent(t)
	r.send(ipc.Message{Kind: ipc.TestNotification})
	m := r.waitFor("a result for the test notification", func(m ipc.Message) bool { return m.Kind == ipc.Result && m.Key == ipc.KeyTestNotification })
	if want := notificationProblem(notify.ErrNoBus); m.Problem != want {
		t.Errorf("no session bus: got problem %q, want %q", m.Problem, want)
	}
}

func TestLanguageChangeReturnsASuccessor(t *testing.T) {
	r := runAgent(t)
	r.send(ipc.Message{Kind: ipc.Set, Key: "language", Value: "en"})
	select {
	case s := <-r.ended:
		if s == nil || !s.Hidden || s.Page != "" || !filepath.IsAbs(s.Program) {
			t.Errorf("got successor %+v, want this program without a window", s)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the agent did not end within 20 s")
	}
}
