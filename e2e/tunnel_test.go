package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"porthole/e2e/desktop"
	"porthole/monitor"
	"porthole/monitor/process/child"
)

// A watched server that a tunnel publishes is reported with the tunnel and its URL, and is local
// again when the tunnel ends. The tunnel program is imitated: it has only the name and the
// arguments of the real one.
func TestTunnel(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	d.writeSettings("watches:\n  - ports: 20001\n")
	d.project("shop", "web", "127.0.0.1:20001")
	item := d.item(d.start())
	d.menuHas(item, menuOpen("20001", "web · shop"))
	window := d.mainWindow()
	d.filterRows(window, "20001")
	d.exposureIs("20001", monitor.ExposureLoopback, "")
	before := d.steady(window)

	tunnel := d.imitate("ngrok", "http", "--url=shop.example.com", "20001")
	note := d.note(notePublic("20001"))
	for _, part := range []string{"ngrok", "https://shop.example.com"} {
		if !strings.Contains(note.Body, part) {
			t.Errorf("got the notification's body %q; want %q in it", note.Body, part)
		}
	}
	d.exposureIs("20001", monitor.ExposurePublic, "https://shop.example.com")
	d.waitChanged("the row says public", window, before)
	d.steady(window)
	d.shot("public")
	d.do("open the process window", window.Key("Return"))
	process := d.processWindow("web")
	d.steady(process)
	d.shot("public-process")
	d.do("close it", process.Close())

	tunnel.close()
	d.exposureIs("20001", monitor.ExposureLoopback, "")
	d.steady(window)
	d.shot("local-again")
}

// imitate starts this test program with the name and the arguments of another. It does not
// listen.
func (d *desk) imitate(name string, args ...string) *server {
	d.t.Helper()
	cmd := exec.Command(d.program(name))
	cmd.Args = append([]string{filepath.Base(cmd.Path)}, args...)
	child.SetRole(cmd, serverRole)
	cmd.Env = append(cmd.Env, listenVariable+"="+noAddress)
	cmd.Dir = "/"
	process, err := child.Launch(cmd)
	d.do("start "+name, err)
	s := &server{process, cmd}
	d.t.Cleanup(s.close)
	s.waitListening(d)
	return s
}

// exposureIs waits until porthole who reports this exposure of a port and the URL of its tunnel.
func (d *desk) exposureIs(port string, want monitor.Exposure, url string) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("the exposure of %s is %s", port, want), func() error {
		l, err := oneListener[struct {
			Exposure monitor.Exposure
			Tunnels  []struct{ URL string }
		}](d, "who", port)
		if err != nil {
			return err
		}
		if l.Exposure != want || (url != "") != (len(l.Tunnels) == 1) || url != "" && l.Tunnels[0].URL != url {
			return fmt.Errorf("got %+v", l)
		}
		return nil
	})
}
