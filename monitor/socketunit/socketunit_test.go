package socketunit

import (
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
