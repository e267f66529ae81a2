//go:build cgo

package window

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/launch"
	"porthole/monitor/process"
	"porthole/monitor/reply"
	"porthole/monitor/terminal"
	uisettings "porthole/ui/settings"
	"porthole/ui/words"
)

// tlsTimeout limits a TLS handshake. A server on this machine needs milliseconds.
const tlsTimeout = 700 * time.Millisecond

// OpenInBrowser opens address, for example "127.0.0.1:3000", with https if the
// server supports TLS, otherwise with http. It connects to the port to find out,
// only on the user's click.
func (a actions) OpenInBrowser(address string) {
	a.p.work.Go(func() {
		if err := desktop.Open(a.p.ctx, scheme(a.p.ctx, address)+"://"+address+"/"); err != nil {
			a.p.showFailure(lang.L("Can't open the browser. Check that xdg-utils is installed."), err)
		}
	})
}

// CopyURL copies the URL that OpenInBrowser would open.
func (a actions) CopyURL(address string) {
	a.p.work.Go(func() {
		url := scheme(a.p.ctx, address) + "://" + address + "/"
		a.p.do(func() {
			a.Copy(url)
			a.p.window.ShowNotice(words.Copied(url))
		})
	})
}

// OpenFolder opens a folder in the file manager.
func (a actions) OpenFolder(path string) {
	a.p.work.Go(func() {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() || !filepath.IsAbs(path) {
			a.p.showFailure(lang.L("Can't open the folder: it was deleted, or you do not have permission"), err)
			return
		}
		if err := desktop.Open(a.p.ctx, path); err != nil {
			a.p.showFailure(lang.L("Can't open the file manager. Check that xdg-utils is installed."), err)
		}
	})
}

// OpenSettingsFile opens the settings file in the default editor. It creates the file if
// nothing has been changed yet.
func (a actions) OpenSettingsFile() {
	a.p.work.Go(func() {
		problem := ""
		if err := openSettingsFile(a.p.ctx, settings.Path()); err != nil {
			a.p.log.Warn("can't open the settings file", "error", err)
			problem = lang.L("Can't open {{.Path}}. Check that xdg-utils is installed and that this desktop has an editor for text files.", map[string]any{"Path": monitor.Clean(settings.Path(), 300)})
		}
		a.p.do(func() { a.p.window.ShowSettingResult(uisettings.KeySettingsFile, problem) })
	})
}

// openSettingsFile opens the settings file at path as desktop.Open does.
func openSettingsFile(ctx context.Context, path string) error {
	if err := settings.Open(path).Create(); err != nil {
		return err
	}
	return desktop.Open(ctx, path)
}

// Environment reads the environment of o. It is not stored.
func (a actions) Environment(o monitor.Owner, done func(lines []string, problem string)) {
	a.p.work.Go(func() {
		lines, err := process.Environment(o)
		problem := ""
		switch {
		case errors.Is(err, os.ErrProcessDone):
			problem = lang.L("The process has exited")
		case errors.Is(err, errors.ErrUnsupported):
			problem = lang.L("Process environments are not available on this system")
		case err != nil:
			problem = lang.L("No permission to read the environment")
		}
		a.p.do(func() { done(lines, problem) })
	})
}

// InspectTraffic captures the traffic of l in Wireshark. If that cannot be started, it
// copies a tcpdump command instead and notifies the user.
func (a actions) InspectTraffic(l *monitor.Listener) {
	a.p.work.Go(func() {
		c := desktop.Capture{Protocol: string(l.Protocol), Port: l.Port, Loopback: !l.OnNetwork()}
		err := desktop.OpenWireshark(a.p.ctx, c, launch.Detach)
		if err == nil {
			return
		}
		a.p.do(func() { a.Copy(c.TcpdumpCommand()) })
		if errors.Is(err, exec.ErrNotFound) {
			a.p.showFailure(lang.L("Wireshark is not installed. A tcpdump command was copied instead."), err)
		} else {
			a.p.showFailure(lang.L("Can't open Wireshark. A tcpdump command was copied instead."), err)
		}
	})
}

// AskPort asks what answers on l: one request at a time, and only when the user asks for it.
func (a actions) AskPort(l *monitor.Listener, done func(reply.Reply)) {
	a.p.work.Go(func() {
		a.p.asking.Lock()
		r := reply.Ask(a.p.ctx, l, netip.Addr{}, func(client, server netip.AddrPort) {
			a.p.do(func() { a.p.send(ipc.Message{Kind: ipc.OwnConnection, Client: client, Server: server}) })
		})
		a.p.asking.Unlock()
		a.p.do(func() { done(r) })
	})
}

// GoToTerminal brings the terminal or editor that started o to the front, or says why not.
func (a actions) GoToTerminal(o monitor.Owner) {
	a.p.work.Go(func() {
		r, err := terminal.Go(a.p.ctx, o, process.State(o), desktop.Windows{Session: desktop.Current()})
		switch {
		case err != nil:
			a.p.showFailure(words.Sentence(terminal.SentenceOf(err)), errors.Unwrap(err))
		case r.NotRaised != nil:
			a.p.showFailure(words.Sentence(r.Sentence()), errors.Unwrap(r.NotRaised))
		}
	})
}

// showFailure shows the user that an action has failed. text is a translated sentence.
func (p *program) showFailure(text string, err error) {
	p.log.Warn("an action of the user failed", "notice", text, "error", err)
	p.do(func() { p.window.ShowNotice(text) })
}

// scheme returns "https" if the server completes a TLS handshake, with any
// certificate, otherwise "http".
func scheme(ctx context.Context, address string) string {
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}} // nothing is sent; the browser checks the certificate
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "http"
	}
	_ = c.Close() // nothing to send
	return "https"
}
