//go:build !windows && !darwin

package tray

import (
	"context"

	"porthole/app/tray/sni"
	"porthole/ui/tray"
)

// iconSize is the width of the icon in pixels. Panels reduce it.
const iconSize = 64

// sniPanel shows the icon on the session bus.
type sniPanel struct {
	t       *Tray
	address string
	item    *sni.Item
	ctx     context.Context // ends when the icon is removed
	cancel  func()
}

func newPanel(t *Tray, address string) panel {
	p := &sniPanel{t: t, address: address}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	entries := make([]sni.Entry, len(t.entries))
	for n, e := range t.entries {
		entries[n] = sni.Entry{Separator: e.separator, Click: e.click}
	}
	show := func(token string) { t.actions.Show(0, token) }
	p.item = sni.New("Porthole", entries, sni.Handlers{Activate: show, Secondary: show, Menu: t.showMenu, Opened: t.actions.Opened}, t.log)
	t.panel = p
	t.start()
	return p
}

// run returns when the icon is removed, not when the bus has gone: the agent notices that itself.
func (p *sniPanel) run() {
	if err := p.item.Run(p.ctx, p.address); err != nil {
		p.t.log.Warn("can't show the tray icon", "error", err)
	}
	<-p.ctx.Done()
}

func (p *sniPanel) quit() { p.cancel() }

func (p *sniPanel) setIcon(icon tray.Icon) error {
	p.item.SetIcon(icon.Picture(iconSize))
	return nil
}

func (p *sniPanel) setTooltip(text string) { p.item.SetTooltip(text) }

func (p *sniPanel) setLabel(n int, text string) { p.item.SetLabel(n, text) }

// showMenu shows the visible entries in a window of Porthole's.
func (t *Tray) showMenu(x, y int, token string) {
	t.actions.Opened()
	t.actions.ShowMenu(t.Entries(), x, y, token)
}
