package socketunit

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"porthole/monitor"
)

func TestDescribe(t *testing.T) {
	strong, weak := t.TempDir(), t.TempDir()
	write := func(folder, name, text string) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(weak, "gpsd.socket", "[Unit]\nDescription=GPS\n\n[Socket]\nListenStream=2947\nListenStream=[::1]:2947\n\n[Install]\nWantedBy=sockets.target\n")
	write(weak, "web.socket", "[Socket]\nListenStream=8080\nService=web-blue.service\n")
	write(weak, "echo.socket", "[Socket]\nListenStream = 7\nAccept = yes\n")
	write(weak, "ssh.socket", "[Socket]\nListenStream=22\nAccept=yes\n")
	write(strong, "ssh.socket.d/accept.conf", "[Socket]\nAccept=no\n")
	write(weak, "admin.socket", "[Service]\nService=wrong.service\n# Service=wrong.service\n[Socket]\n; Accept=yes\nService=\\\n  right.service\n")
	write(weak, "proxy@.socket", "[Socket]\nService=proxy-to-%i.service\n")
	write(weak, "moved.socket", "[Socket]\nService=old.service\n")
	write(strong, "moved.socket", "[Socket]\nService=new.service\n")
	defer func(before []string) { folders = before }(folders)
	folders = []string{strong, weak}
	for _, test := range []struct {
		unit, service string
		perConnection bool
	}{
		{"gpsd.socket", "gpsd.service", false},
		{"web.socket", "web-blue.service", false},
		{"echo.socket", "echo@.service", true},
		{"ssh.socket", "ssh.service", false},
		{"admin.socket", "right.service", false},
		{"proxy@db.socket", "proxy@db.service", false},
		{"moved.socket", "new.service", false},
		{"gone.socket", "gone.service", false},
		{"nginx.service", "", false},
	} {
		l := &monitor.Listener{CgroupInfo: monitor.CgroupInfo{Unit: test.unit}}
		Describe(l)
		if l.Activates != test.service || l.PerConnection != test.perConnection {
			t.Errorf("%s: got %q, %t; want %q, %t", test.unit, l.Activates, l.PerConnection, test.service, test.perConnection)
		}
	}
}

// The sockets of a user's units are in the control group of the user's systemd, so the
// address tells the unit.
func TestUnitAtAnAddress(t *testing.T) {
	strong, weak := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(weak, "front.socket"):               "[Socket]\nListenStream=127.0.0.1:8105\nListenStream=[::1]:8105\n",
		filepath.Join(weak, "any.socket"):                 "[Socket]\nListenStream=8106\nListenDatagram=8107\n",
		filepath.Join(weak, "one.socket"):                 "[Socket]\nListenStream=127.0.0.1:8108\n",
		filepath.Join(weak, "two.socket"):                 "[Socket]\nListenStream=127.0.0.1:8108\n",
		filepath.Join(weak, "each@.socket"):               "[Socket]\nListenStream=127.0.0.1:8109\n",
		filepath.Join(weak, "masked.socket"):              "[Socket]\nListenStream=127.0.0.1:8110\n",
		filepath.Join(weak, "moved.socket"):               "[Socket]\nListenStream=127.0.0.1:8111\n",
		filepath.Join(strong, "moved.socket.d/port.conf"): "[Socket]\nListenStream=\nListenStream=127.0.0.1:8112\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(os.DevNull, filepath.Join(strong, "masked.socket")); err != nil {
		t.Skip(err) // Windows
	}
	for _, test := range []struct {
		protocol monitor.Protocol
		address  string
		want     string
	}{
		{monitor.TCP, "127.0.0.1:8105", "front.socket"},
		{monitor.TCP, "[::1]:8105", "front.socket"},
		{monitor.UDP, "127.0.0.1:8105", ""},
		{monitor.TCP, "[::]:8106", "any.socket"},
		{monitor.TCP, "0.0.0.0:8106", "any.socket"},
		{monitor.UDP, "[::]:8107", "any.socket"},
		{monitor.TCP, "127.0.0.1:8106", ""},
		{monitor.TCP, "127.0.0.1:8108", ""},
		{monitor.TCP, "127.0.0.1:8109", ""},
		{monitor.TCP, "127.0.0.1:8110", ""},
		{monitor.TCP, "127.0.0.1:8111", ""},
		{monitor.TCP, "127.0.0.1:8112", "moved.socket"},
	} {
		if got := unitAt([]string{endpoint(test.protocol, netip.MustParseAddrPort(test.address))}, []string{strong, weak}); got != test.want {
			t.Errorf("%s %s: got %q, want %q", test.protocol, test.address, got, test.want)
		}
	}
}
