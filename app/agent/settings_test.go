package agent

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/settings"
	"porthole/app/tray"
	"porthole/monitor"
	"porthole/ui"
)

// runningAgent is an agent in a home of the test's own, without bus and display,
// and a window process that hears what it says.
type runningAgent struct {
	t        *testing.T
	home     string
	dir      ipc.RuntimeDir
	conn     *ipc.Client
	messages chan ipc.Message
	ended    chan *Successor
}

func runAgent(t *testing.T) *runningAgent {
	t.Helper()
	home, err := os.MkdirTemp("", "porthole") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	t.Cleanup(xdg.Reload) // once the environment is as before
	for _, name := range []string{"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		t.Setenv(name, home)
	}
	xdg.Reload()
	place, err := ipc.OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	r := &runningAgent{t: t, home: home, dir: place, messages: make(chan ipc.Message, 64), ended: make(chan *Successor, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		successor, err := Run(ctx, Options{RuntimeDir: place, Session: desktop.Session{}, Hidden: true, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		r.ended <- successor
		close(r.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range r.ended {
		}
	})
	r.connect(ctx)
	return r
}

// connect becomes the agent's window.
func (r *runningAgent) connect(ctx context.Context) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := ipc.Connect(r.dir)
		if err == nil {
			r.conn = conn
			break
		}
		if time.Now().After(end) {
			r.t.Fatal(err)
		}
	}
	go func() {
		_ = r.conn.Receive(ctx, func(monitor.Update) {}, func(m ipc.Message) { r.messages <- m }) // the end of the agent
	}()
}

func (r *runningAgent) send(m ipc.Message) {
	r.t.Helper()
	if err := r.conn.Send(m); err != nil {
		r.t.Fatal(err)
	}
}

// waitFor waits for a message that is wanted, and returns it.
func (r *runningAgent) waitFor(what string, wanted func(ipc.Message) bool) ipc.Message {
	r.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case m := <-r.messages:
			if wanted(m) {
				return m
			}
		case <-limit:
			r.t.Fatalf("the agent never said %s", what)
		}
	}
}

// waitForStatus waits for a status of which holds is true.
func (r *runningAgent) waitForStatus(what string, holds func(*ipc.Status) bool) {
	r.t.Helper()
	r.waitFor(what, func(m ipc.Message) bool { return m.Kind == ipc.StatusUpdate && holds(m.Status) })
}

// set asks for a setting and returns why it was refused, and the status before
// the answer.
func (r *runningAgent) set(key, value string) (problem string, before ipc.Status) {
	r.t.Helper()
	r.send(ipc.Message{Kind: ipc.Set, Key: key, Value: value})
	m := r.waitFor("an answer about "+key, func(m ipc.Message) bool {
		if m.Kind == ipc.StatusUpdate {
			before = *m.Status
		}
		return m.Kind == ipc.Result && m.Key == key
	})
	return m.Problem, before
}

func (r *runningAgent) path(name string) string { return filepath.Join(r.home, name) }

func TestASettingHoldsAtOnceAndIsWritten(t *testing.T) {
	r := runAgent(t)
	for _, c := range []struct {
		key, value string
		holds      func(settings.Settings) bool
	}{
		{"udp", "true", func(s settings.Settings) bool { return s.UDP }},
		{"interval", "500ms", func(s settings.Settings) bool { return s.PollingInterval == 500*time.Millisecond }},
		{"notifications", "false", func(s settings.Settings) bool { return !s.Notifications }},
		{"theme", "dark", func(s settings.Settings) bool { return s.Theme == "dark" }},
		{"tray_icon", "light", func(s settings.Settings) bool { return s.TrayIcon == "light" }},
		{"keep_days", "7", func(s settings.Settings) bool { return s.HistoryDays == 7 }},
	} {
		if problem, s := r.set(c.key, c.value); problem != "" || !c.holds(s.Settings) {
			t.Errorf("%s: refused with %q; status before the answer %+v", c.key, problem, s.Settings)
		}
		b, err := os.ReadFile(settings.Path())
		if err != nil || !strings.Contains(string(b), c.key+": "+c.value+"\n") {
			t.Errorf("%s is not in the file: %v\n%s", c.key, err, b)
		}
	}
	r.waitForStatus("that it looks every 500 ms", func(s *ipc.Status) bool { return s.Health.Interval == 500*time.Millisecond })
	problem, s := r.set("keep_days", "0")
	if !strings.HasPrefix(problem, "Not changed: ") || s.Settings.HistoryDays != 7 {
		t.Errorf("keep_days 0: said %q, %d days hold", problem, s.Settings.HistoryDays)
	}
}

func TestSettingsThatAreEditedByHandAreTold(t *testing.T) {
	r := runAgent(t)
	r.set("sound", "false") // it listens for edits by now, or a little later
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
	t.Error("the window never heard of the edit")
}

func TestStartAtLoginTellsTheTruth(t *testing.T) {
	r := runAgent(t)
	file := r.path("autostart/io.github.porthole.porthole.desktop")
	if problem, s := r.set(ipc.KeyStartAtLogin, "true"); problem != "" || !s.StartAtLogin {
		t.Errorf("refused with %q; at login: %v", problem, s.StartAtLogin)
	}
	if err := os.Remove(file); err != nil { // as another program would
		t.Fatal(err)
	}
	r.send(ipc.Message{Kind: ipc.ReloadSettings})
	r.waitForStatus("that it is not started at login", func(s *ipc.Status) bool { return !s.StartAtLogin })
	if err := os.Remove(r.path("autostart")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path("autostart"), nil, 0o600); err != nil { // no folder can be made
		t.Fatal(err)
	}
	if problem, s := r.set(ipc.KeyStartAtLogin, "true"); problem == "" || s.StartAtLogin {
		t.Errorf("said %q where the file cannot be written; at login: %v", problem, s.StartAtLogin)
	}
}

func TestATestNotificationIsAnswered(t *testing.T) {
	r := runAgent(t)
	r.send(ipc.Message{Kind: ipc.TestNotification})
	m := r.waitFor("what became of the notification", func(m ipc.Message) bool { return m.Kind == ipc.Result && m.Key == ipc.KeyTestNotification })
	if !strings.Contains(m.Problem, "you are told nothing") {
		t.Errorf("without a bus it says %q", m.Problem)
	}
}

func TestAnotherLanguageIsASuccessors(t *testing.T) {
	r := runAgent(t)
	r.send(ipc.Message{Kind: ipc.Set, Key: "language", Value: "en"})
	select {
	case s := <-r.ended:
		if s == nil || !s.Hidden || s.Page != ui.PageSettings || !filepath.IsAbs(s.Program) {
			t.Errorf("successor %+v; want this program, without a window as before", s)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the agent goes on")
	}
}

func TestWhenAStartIsHidden(t *testing.T) {
	for _, c := range []struct {
		opts        Options
		start, tray bool
		want        bool
	}{
		{Options{}, false, true, false},
		{Options{}, true, true, true},
		{Options{Hidden: true}, false, false, true},
		{Options{ShowWindow: true}, true, true, false},
		{Options{Port: 80}, true, true, false},
		{Options{}, true, false, false}, // nothing would show that it runs
	} {
		a := &Agent{opts: c.opts, settings: settings.Settings{StartHidden: c.start}}
		if c.tray {
			a.tray = &tray.Tray{}
		}
		if got := a.startsHidden(); got != c.want {
			t.Errorf("%+v, start_hidden %v, tray %v: hidden %v; want %v", c.opts, c.start, c.tray, got, c.want)
		}
	}
}
