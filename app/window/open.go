//go:build cgo

package window

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
	"porthole/monitor"
	"porthole/monitor/process"
	"porthole/ui"
)

// tlsTimeout is how long a server has for the answer to a greeting in TLS. One on
// this machine takes milliseconds.
const tlsTimeout = 700 * time.Millisecond

// OpenInBrowser opens address, "127.0.0.1:3000", as https where the server
// speaks TLS, else as http. That is found out now, on the user's click: nothing
// else of Porthole's ever connects to a port.
func (a actions) OpenInBrowser(address string) {
	a.p.work.Go(func() {
		if err := desktop.Open(a.p.ctx, scheme(a.p.ctx, address)+"://"+address+"/"); err != nil {
			a.p.showFailure(lang.L("The browser could not be opened: is xdg-utils installed?"), err)
		}
	})
}

// CopyURL copies the URL of address, which is found out as OpenInBrowser does.
func (a actions) CopyURL(address string) {
	a.p.work.Go(func() {
		url := scheme(a.p.ctx, address) + "://" + address + "/"
		a.p.do(func() {
			a.Copy(url)
			a.p.window.ShowNotice(ui.Copied(url))
		})
	})
}

// OpenFolder opens a folder in the file manager.
func (a actions) OpenFolder(path string) {
	a.p.work.Go(func() {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() || !filepath.IsAbs(path) {
			a.p.showFailure(lang.L("The folder is gone, or may not be looked into"), err)
			return
		}
		if err := desktop.Open(a.p.ctx, path); err != nil {
			a.p.showFailure(lang.L("The file manager could not be opened: is xdg-utils installed?"), err)
		}
	})
}

// Environment reads what o was started with. It is kept nowhere.
func (a actions) Environment(o monitor.Owner, done func(lines []string, problem string)) {
	a.p.work.Go(func() {
		lines, err := process.Environment(o)
		problem := ""
		switch {
		case errors.Is(err, os.ErrProcessDone):
			problem = lang.L("It has ended")
		case errors.Is(err, errors.ErrUnsupported):
			problem = lang.L("This system does not tell the environment of a process")
		case err != nil:
			problem = lang.L("The environment may not be read")
		}
		a.p.do(func() { done(lines, problem) })
	})
}

// InspectTraffic opens Wireshark at the traffic of l; without it the command for tcpdump
// is copied, which is said.
func (a actions) InspectTraffic(l *monitor.Listener) {
	a.p.work.Go(func() {
		c := desktop.Capture{Protocol: string(l.Protocol), Port: l.Port, Loopback: l.Exposure == monitor.ExposureLoopback}
		err := desktop.OpenWireshark(a.p.ctx, c, detach)
		if err == nil {
			return
		}
		a.p.do(func() { a.Copy(c.TcpdumpCommand()) })
		if errors.Is(err, exec.ErrNotFound) {
			a.p.showFailure(lang.L("Wireshark is not installed: the command for tcpdump was copied"), err)
		} else {
			a.p.showFailure(lang.L("Wireshark could not be opened: the command for tcpdump was copied"), err)
		}
	})
}

// showFailure says in the window that something the user asked for did not work.
func (p *program) showFailure(sentence string, err error) {
	p.log.Warn("what the user asked for could not be done", "said", sentence, "problem", err)
	p.do(func() { p.window.ShowNotice(sentence) })
}

// scheme is https where a server answers a greeting in TLS, whatever its
// certificate, else http.
func scheme(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}} // nothing is sent; the browser checks the certificate
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "http"
	}
	_ = c.Close() // all was learned
	return "https"
}
