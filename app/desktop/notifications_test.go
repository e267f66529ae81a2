package desktop

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// bareBus starts a session bus that starts no services, and returns its address.
func bareBus(t *testing.T) string {
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

func TestANotificationServiceThatComesAndGoesIsNoticed(t *testing.T) {
	address := bareBus(t)
	ctx, cancel := context.WithCancel(t.Context())
	present, ended := make(chan bool, 8), make(chan error, 1)
	go func() { ended <- WatchNotifications(ctx, address, func(is bool) { present <- is }) }()
	want := func(what string, want bool) {
		t.Helper()
		select {
		case got := <-present:
			if got != want {
				t.Errorf("%s: present %v, want %v", what, got, want)
			}
		case err := <-ended:
			t.Fatalf("%s: WatchNotifications ended: %v", what, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: nothing is said", what)
		}
	}
	want("at first", false)
	service, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.RequestName(notificationService, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	want("a service came", true)
	if err := service.Close(); err != nil {
		t.Fatal(err)
	}
	want("it went", false)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("WatchNotifications: %v", err)
	}
}
